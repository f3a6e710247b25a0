"""Credentials of Fastly."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="fastly-token",
        vendor="Fastly",
        docs="https://www.fastly.com/documentation/reference/api/auth-tokens/",
        pattern="[A-Za-z0-9_-]{32}",
        find=Find.ASSIGNED,
        keywords=("fastly",),
        named=(
            "token",
            "key",
        ),
        entropy=3.6,
        rank=30,
        positives=("FASTLY_API_TOKEN=«{b64u:16}3{b64u:15}»",),
    ),
)
