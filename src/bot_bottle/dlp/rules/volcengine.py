"""Credentials of Volcengine."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="volcengine-access-key-id",
        vendor="Volcengine",
        docs="https://www.volcengine.com/docs/6291/65568",
        pattern="AKLT[A-Za-z0-9_-]{40,50}",
        edge=Edge.ALONE,
        end="[+/=_-]",
        positives=("«AKLT{b62:43}»",),
    ),
)
