"""Credentials of Plaid."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="plaid-access-token",
        vendor="Plaid",
        docs="https://plaid.com/docs/api/",
        pattern="access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        prefix="access-production-",
        positives=("«access-production-{uuid}»",),
    ),
    Rule(
        name="plaid-secret",
        vendor="Plaid",
        docs="https://plaid.com/docs/api/",
        pattern="[0-9a-f]{30}",
        find=Find.ASSIGNED,
        keywords=("plaid",),
        named=("secret",),
        rank=30,
        positives=("PLAID_SECRET=«{hex:30}»",),
    ),
)
