"""Credentials of CircleCI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="circleci-token",
        vendor="CircleCI",
        docs="https://circleci.com/docs/managing-api-tokens/",
        pattern="CCIP(?:AT|RJ)_[A-Za-z0-9]{20,24}_[0-9a-f]{40}",
        edge=Edge.FREE,
        positives=("«CCIPAT_{b62:22}_{hex:40}»",),
    ),
    Rule(
        name="circleci-legacy-token",
        vendor="CircleCI",
        docs="https://circleci.com/docs/managing-api-tokens/",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=(
            "circleci",
            "circle_ci",
            "circle-token",
            "circle_token",
        ),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("CIRCLE_TOKEN=«{hex:40}»",),
    ),
)
