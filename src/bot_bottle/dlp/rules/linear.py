"""Credentials of Linear."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="linear-key",
        vendor="Linear",
        docs="https://linear.app/developers/graphql",
        pattern="lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,64}",
        prefix="lin_api_",
        edge=Edge.FREE,
        positives=(
            "LINEAR_API_KEY=«lin_api_{b62:40}»",
            "«lin_oauth_{hex:64}»",
        ),
    ),
)
