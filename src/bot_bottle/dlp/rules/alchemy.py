"""Credentials of Alchemy."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="alchemy-key",
        vendor="Alchemy",
        docs="https://www.alchemy.com/docs/create-an-api-key",
        pattern="[A-Za-z0-9_-]{32}",
        find=Find.ASSIGNED,
        keywords=("alchemy",),
        named=(
            "key",
            "token",
        ),
        entropy=3.6,
        rank=30,
        positives=("ALCHEMY_API_KEY=«{b64u:16}4{b64u:15}»",),
    ),
)
