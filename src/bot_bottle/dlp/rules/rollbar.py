"""Credentials of Rollbar."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="rollbar-token",
        vendor="Rollbar",
        docs="https://docs.rollbar.com/docs/access-tokens",
        pattern="[0-9a-f]{32,128}",
        find=Find.ASSIGNED,
        keywords=("rollbar",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("ROLLBAR_ACCESS_TOKEN=«{hex:32}»",),
    ),
)
