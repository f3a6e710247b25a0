"""Credentials of Lokalise."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="lokalise-token",
        vendor="Lokalise",
        docs="https://developers.lokalise.com/reference/api-authentication",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=("lokalise",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("LOKALISE_API_TOKEN=«{hex:40}»",),
    ),
)
