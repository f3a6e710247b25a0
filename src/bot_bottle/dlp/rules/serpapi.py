"""Credentials of SerpApi."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="serpapi-key",
        vendor="SerpApi",
        docs="https://serpapi.com/search-api",
        pattern="[0-9a-f]{64}",
        find=Find.ASSIGNED,
        keywords=("serpapi",),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("SERPAPI_API_KEY=«{hex:64}»",),
    ),
)
