"""Credentials of Cursor."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="cursor-key",
        vendor="Cursor",
        docs="https://docs.cursor.com/account/teams/admin-api",
        pattern="(?:crsr|key)_[0-9a-f]{64}",
        prefix="key_",
        positives=(
            "CURSOR_API_KEY=«key_{hex:64}»",
            "«crsr_{hex:64}»",
        ),
    ),
)
