"""Credentials of Moonshot AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="moonshot-key",
        vendor="Moonshot AI",
        docs="https://platform.moonshot.ai/docs/introduction",
        pattern="sk-[A-Za-z0-9]{48}",
        end="[A-Za-z0-9_-]",
        keywords=(
            "moonshot",
            "kimi",
        ),
        rank=45,
        positives=("MOONSHOT_API_KEY=«sk-{b62:48}»",),
        known="sk- and 48 letters and digits",
    ),
)
