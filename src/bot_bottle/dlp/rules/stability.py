"""Credentials of Stability AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="stability-key",
        vendor="Stability AI",
        docs="https://platform.stability.ai/docs/getting-started/authentication",
        pattern="sk-[A-Za-z0-9]{48}",
        end="[A-Za-z0-9_-]",
        keywords=(
            "stability",
            "dreamstudio",
        ),
        rank=45,
        positives=("STABILITY_API_KEY=«sk-{b62:48}»",),
        known="sk- and 48 letters and digits",
    ),
)
