"""Credentials of Square."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="square-token",
        vendor="Square",
        docs="https://developer.squareup.com/docs/build-basics/access-tokens",
        pattern="sq0(?:atp|csp|idp|cgp)-[A-Za-z0-9_-]{22,43}",
        prefix="sq0atp-",
        edge=Edge.WORD,
        positives=(
            "«sq0atp-{b64u:22}»",
            "«sq0csp-{b64u:43}»",
        ),
    ),
    Rule(
        name="square-access-token",
        vendor="Square",
        docs="https://developer.squareup.com/docs/build-basics/access-tokens",
        pattern="EAAA[A-Za-z0-9_-]{60}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9_-]",
        positives=("SQUARE_ACCESS_TOKEN=«EAAAl{b64u:59}»",),
    ),
)
