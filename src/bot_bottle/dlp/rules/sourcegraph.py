"""Credentials of Sourcegraph."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="sourcegraph-token",
        vendor="Sourcegraph",
        docs="https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token",
        pattern="sgp_(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}",
        edge=Edge.FREE,
        positives=(
            "«sgp_{hex:16}_{hex:40}»",
            "«sgp_{hex:40}»",
        ),
    ),
)
