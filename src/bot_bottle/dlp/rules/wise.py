"""Credentials of Wise."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="wise-token",
        vendor="Wise",
        docs="https://docs.wise.com/api-docs/features/authentication-access",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=(
            "wise",
            "transferwise",
        ),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("WISE_API_TOKEN=«{uuid}»",),
    ),
)
