"""Credentials of HackerOne."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="hackerone-token",
        vendor="HackerOne",
        docs="https://api.hackerone.com/getting-started/",
        pattern="[A-Za-z0-9+/]{43}=",
        find=Find.ASSIGNED,
        keywords=(
            "hackerone",
            "h1_",
        ),
        named=(
            "token",
            "key",
        ),
        entropy=4.0,
        rank=30,
        positives=("HACKERONE_API_TOKEN=«{b64:20}4{b64:22}=»",),
    ),
)
