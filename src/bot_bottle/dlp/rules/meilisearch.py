"""Credentials of Meilisearch."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="meilisearch-key",
        vendor="Meilisearch",
        docs="https://www.meilisearch.com/docs/learn/security/basic_security",
        pattern="(?:[0-9a-f]{64}|[A-Za-z0-9_-]{43})",
        find=Find.ASSIGNED,
        keywords=("meili",),
        named=("key",),
        entropy=3.2,
        rank=30,
        positives=("MEILI_MASTER_KEY=«{b64u:20}4{b64u:22}»",),
    ),
)
