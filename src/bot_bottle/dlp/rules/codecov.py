"""Credentials of Codecov."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="codecov-token",
        vendor="Codecov",
        docs="https://docs.codecov.com/docs/codecov-tokens",
        pattern="(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9]{32})",
        find=Find.ASSIGNED,
        keywords=("codecov",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("CODECOV_TOKEN=«{uuid}»",),
    ),
)
