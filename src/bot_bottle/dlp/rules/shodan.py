"""Credentials of Shodan."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="shodan-key",
        vendor="Shodan",
        docs="https://developer.shodan.io/api",
        pattern="[A-Za-z0-9]{32}",
        find=Find.ASSIGNED,
        keywords=("shodan",),
        named=(
            "key",
            "token",
        ),
        entropy=3.6,
        rank=30,
        positives=("SHODAN_API_KEY=«{b62:16}4{b62:15}»",),
    ),
)
