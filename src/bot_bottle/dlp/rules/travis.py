"""Credentials of Travis CI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="travis-token",
        vendor="Travis CI",
        docs="https://developer.travis-ci.com/authentication",
        pattern="[A-Za-z0-9_-]{22}",
        find=Find.ASSIGNED,
        keywords=("travis",),
        named=(
            "token",
            "key",
        ),
        entropy=3.4,
        rank=30,
        positives=("TRAVIS_TOKEN=«{b62:11}8{b62:10}»",),
    ),
)
