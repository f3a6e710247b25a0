"""Credentials of Tavily."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="tavily-key",
        vendor="Tavily",
        docs="https://docs.tavily.com/documentation/quickstart",
        pattern="tvly-(?:dev-|prod-)?[A-Za-z0-9_-]{30,}",
        positives=(
            "TAVILY_API_KEY=«tvly-dev-{b62:32}»",
            "«tvly-{b62:32}»",
        ),
    ),
)
