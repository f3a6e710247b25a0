"""Credentials of Airtable."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="airtable-token",
        vendor="Airtable",
        docs="https://airtable.com/developers/web/guides/personal-access-tokens",
        pattern=r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
        positives=("«pat{b62:14}.{hex:64}»",),
    ),
    Rule(
        name="airtable-legacy-key",
        vendor="Airtable",
        docs="https://airtable.com/developers/web/guides/personal-access-tokens",
        pattern="key[A-Za-z0-9]{14}",
        find=Find.ASSIGNED,
        prefix="key",
        keywords=("airtable",),
        named=(
            "key",
            "token",
        ),
        entropy=2.5,
        rank=30,
        positives=("AIRTABLE_API_KEY=«key{b62:7}4{b62:6}»",),
    ),
)
