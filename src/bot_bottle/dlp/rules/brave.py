"""Credentials of Brave Search."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="brave-search-key",
        vendor="Brave Search",
        docs="https://api-dashboard.search.brave.com/app/documentation",
        pattern="BSA[A-Za-z0-9_-]{28}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_-]",
        keywords=(
            "brave",
            "x-subscription-token",
        ),
        positives=("BRAVE_API_KEY=«BSA{b64u:28}»",),
    ),
)
