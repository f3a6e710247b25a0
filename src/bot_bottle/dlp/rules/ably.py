"""Credentials of Ably."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="ably-key",
        vendor="Ably",
        docs="https://ably.com/docs/auth/basic",
        pattern=r"[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43}",
        find=Find.ASSIGNED,
        keywords=("ably",),
        named=(
            "key",
            "token",
        ),
        entropy=4.0,
        rank=30,
        positives=("ABLY_API_KEY=«{b62:6}.{b62:6}:{b62:10}3{b64u:32}»",),
    ),
)
