"""Credentials of Statsig."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="statsig-key",
        vendor="Statsig",
        docs="https://docs.statsig.com/access-management/api-keys",
        pattern="(?:secret|console)-[A-Za-z0-9]{40,64}",
        prefix="secret-",
        positives=("«secret-{b62:43}»",),
    ),
)
