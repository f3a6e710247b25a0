"""Credentials of Railway."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="railway-token",
        vendor="Railway",
        docs="https://docs.railway.com/reference/public-api",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=("railway",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("RAILWAY_TOKEN=«{uuid}»",),
    ),
)
