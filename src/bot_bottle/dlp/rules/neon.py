"""Credentials of Neon."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="neon-key",
        vendor="Neon",
        docs="https://neon.com/docs/manage/api-keys",
        pattern="napi_[a-z0-9]{60,70}",
        positives=("NEON_API_KEY=«napi_{b36:64}»",),
    ),
)
