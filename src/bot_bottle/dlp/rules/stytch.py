"""Credentials of Stytch."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="stytch-secret",
        vendor="Stytch",
        docs="https://stytch.com/docs/api/authentication",
        pattern="secret-(?:live|test)-[A-Za-z0-9_=-]{36,48}",
        prefix="secret-live-",
        positives=("«secret-live-{b64u:35}=»",),
    ),
)
