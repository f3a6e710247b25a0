"""Credentials of Storyblok."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="storyblok-token",
        vendor="Storyblok",
        docs="https://www.storyblok.com/docs/concepts/access-tokens",
        pattern="[A-Za-z0-9]{22}tt",
        find=Find.ASSIGNED,
        keywords=("storyblok",),
        named=(
            "token",
            "key",
        ),
        entropy=3.3,
        rank=30,
        positives=("STORYBLOK_TOKEN=«{b62:11}4{b62:10}tt»",),
    ),
)
