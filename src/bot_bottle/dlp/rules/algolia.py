"""Credentials of Algolia."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="algolia-admin-key",
        vendor="Algolia",
        docs="https://www.algolia.com/doc/guides/security/api-keys/",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("algolia",),
        named=(
            "admin",
            "write",
            "secret",
            "api_key",
            "apikey",
            "api-key",
        ),
        rank=30,
        positives=("ALGOLIA_ADMIN_API_KEY=«{hex:32}»",),
    ),
)
