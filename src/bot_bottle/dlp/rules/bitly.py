"""Credentials of Bitly."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="bitly-token",
        vendor="Bitly",
        docs="https://dev.bitly.com/docs/getting-started/authentication/",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=("bitly",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("BITLY_ACCESS_TOKEN=«{hex:40}»",),
    ),
)
