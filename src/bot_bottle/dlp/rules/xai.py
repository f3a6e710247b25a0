"""Credentials of xAI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="xai-key",
        vendor="xAI",
        docs="https://docs.x.ai/docs/overview",
        pattern="xai-[A-Za-z0-9]{60,}",
        positives=("XAI_API_KEY=«xai-{b62:80}»",),
    ),
)
