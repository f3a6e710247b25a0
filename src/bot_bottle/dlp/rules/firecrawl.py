"""Credentials of Firecrawl."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="firecrawl-key",
        vendor="Firecrawl",
        docs="https://docs.firecrawl.dev/introduction",
        pattern="fc-[0-9a-f]{32}",
        end="[A-Za-z0-9]",
        positives=("FIRECRAWL_API_KEY=«fc-{hex:32}»",),
    ),
)
