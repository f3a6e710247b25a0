"""Credentials of Binance."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="binance-key",
        vendor="Binance",
        docs="https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security",
        pattern="[A-Za-z0-9]{64}",
        find=Find.ASSIGNED,
        keywords=("binance",),
        named=(
            "secret",
            "key",
        ),
        entropy=4.0,
        rank=30,
        positives=("BINANCE_SECRET_KEY=«{b62:20}5{b62:43}»",),
    ),
)
