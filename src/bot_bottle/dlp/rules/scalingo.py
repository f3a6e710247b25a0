"""Credentials of Scalingo."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="scalingo-token",
        vendor="Scalingo",
        docs="https://developers.scalingo.com/tokens",
        pattern="tk-us-[A-Za-z0-9_-]{48}",
        positives=("«tk-us-{b64u:48}»",),
    ),
)
