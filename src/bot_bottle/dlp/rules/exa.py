"""Credentials of Exa."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="exa-key",
        vendor="Exa",
        docs="https://docs.exa.ai/reference/getting-started",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=(
            "exa_api",
            "exa.ai",
            "exa-api",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("EXA_API_KEY=«{uuid}»",),
    ),
)
