"""Credentials of Baseten."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="baseten-key",
        vendor="Baseten",
        docs="https://docs.baseten.co/organization/api-keys",
        pattern=r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}",
        find=Find.ASSIGNED,
        keywords=("baseten",),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("BASETEN_API_KEY=«{b62:8}.{b62:16}3{b62:15}»",),
    ),
)
