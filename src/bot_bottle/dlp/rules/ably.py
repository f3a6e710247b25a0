"""Credentials of Ably."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="ably-key",
        vendor="Ably",
        docs="https://ably.com/docs/auth/basic",
        pattern=r"[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43}",
        end="[A-Za-z0-9_-]",
        keywords=("ably",),
        positives=("ABLY_API_KEY=«{b62:6}.{b62:6}:{b64u:43}»",),
    ),
)
