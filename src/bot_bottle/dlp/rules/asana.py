"""Credentials of Asana."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="asana-token",
        vendor="Asana",
        docs="https://developers.asana.com/docs/personal-access-token",
        pattern="[12]/[0-9]{12,20}(?:/[0-9]{12,20})?:[0-9a-f]{32}",
        edge=Edge.WORD,
        end="[0-9a-zA-Z]",
        positives=(
            "ASANA_TOKEN=«2/{dig:16}/{dig:16}:{hex:32}»",
            "«1/{dig:16}:{hex:32}»",
        ),
    ),
)
