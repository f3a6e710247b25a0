"""Credentials of Bitwarden."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="bitwarden-access-token",
        vendor="Bitwarden",
        docs="https://bitwarden.com/help/access-tokens/",
        pattern=r"0\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.[A-Za-z0-9]{30}:[A-Za-z0-9+/]{22}==",
        find=Find.ASSIGNED,
        keywords=(
            "bws",
            "bitwarden",
        ),
        rank=30,
        positives=("BWS_ACCESS_TOKEN=«0.{uuid}.{b62:30}:{b64:22}==»",),
    ),
)
