"""Credentials of SparkPost."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="sparkpost-key",
        vendor="SparkPost",
        docs="https://developers.sparkpost.com/api/",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=("sparkpost",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("SPARKPOST_API_KEY=«{hex:40}»",),
    ),
)
