"""Credentials of Mistral AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="mistral-key",
        vendor="Mistral AI",
        docs="https://docs.mistral.ai/getting-started/quickstart",
        pattern="[A-Za-z0-9]{32}",
        find=Find.ASSIGNED,
        keywords=(
            "mistral",
            "codestral",
        ),
        named=(
            "key",
            "token",
        ),
        entropy=3.5,
        rank=30,
        positives=("MISTRAL_API_KEY=«{b62:16}5{b62:15}»",),
        known="32 letters and digits",
    ),
)
