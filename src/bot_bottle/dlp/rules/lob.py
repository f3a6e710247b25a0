"""Credentials of Lob."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="lob-key",
        vendor="Lob",
        docs="https://docs.lob.com/",
        pattern="(?:live|test)_[0-9a-f]{35}",
        prefix="live_",
        end="[0-9a-zA-Z_]",
        keywords=("lob",),
        positives=("LOB_API_KEY=«live_{hex:35}»",),
    ),
)
