"""Credentials of Infura."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="infura-key",
        vendor="Infura",
        docs="https://docs.metamask.io/developer-tools/dashboard/get-started/",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("infura",),
        named=(
            "secret",
            "key",
            "token",
        ),
        rank=30,
        positives=("INFURA_API_KEY=«{hex:32}»",),
    ),
)
