"""Credentials of fal."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="fal-key",
        vendor="fal",
        docs="https://docs.fal.ai/model-apis/authentication",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}:[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=(
            "fal_key",
            "fal.ai",
            "fal-key",
            "fal.run",
        ),
        rank=30,
        positives=('FAL_KEY="«{uuid}:{hex:32}»"',),
    ),
)
