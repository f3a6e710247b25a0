"""Credentials of Coinbase."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="coinbase-secret",
        vendor="Coinbase",
        docs="https://docs.cdp.coinbase.com/get-started/authentication/overview",
        pattern="(?:[A-Za-z0-9]{32}|[A-Za-z0-9+/]{86}==)",
        find=Find.ASSIGNED,
        keywords=("coinbase",),
        named=(
            "secret",
            "key",
        ),
        entropy=3.6,
        rank=30,
        positives=("COINBASE_API_SECRET=«{b62:16}5{b62:15}»",),
    ),
)
