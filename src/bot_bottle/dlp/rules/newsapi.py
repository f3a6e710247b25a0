"""Credentials of News API."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="newsapi-key",
        vendor="News API",
        docs="https://newsapi.org/docs/authentication",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=(
            "newsapi",
            "news_api",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("NEWSAPI_KEY=«{hex:32}»",),
    ),
)
