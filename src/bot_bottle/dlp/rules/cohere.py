"""Credentials of Cohere."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="cohere-key",
        vendor="Cohere",
        docs="https://docs.cohere.com/reference/about",
        pattern="[A-Za-z0-9]{40}",
        find=Find.ASSIGNED,
        keywords=(
            "cohere",
            "co_api",
        ),
        named=(
            "key",
            "token",
        ),
        entropy=3.8,
        rank=30,
        positives=('COHERE_API_KEY="«{b62:20}4{b62:19}»"',),
        known="40 letters and digits",
    ),
)
