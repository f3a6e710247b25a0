"""Credentials of Voyage AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="voyage-key",
        vendor="Voyage AI",
        docs="https://docs.voyageai.com/docs/api-key-and-installation",
        pattern="(?:pa|al)-[A-Za-z0-9_-]{43}",
        prefix="pa-",
        end="[A-Za-z0-9_-]",
        keywords=("voyage",),
        positives=("VOYAGE_API_KEY=«pa-{b64u:43}»",),
    ),
)
