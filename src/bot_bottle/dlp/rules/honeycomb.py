"""Credentials of Honeycomb."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="honeycomb-key",
        vendor="Honeycomb",
        docs="https://docs.honeycomb.io/configure/environments/manage-api-keys/",
        pattern="hc[abcx](?:ik|lk|mk)_[a-z0-9]{26,64}",
        prefix="hcaik_",
        positives=("«hcaik_{b36:58}»",),
    ),
    Rule(
        name="honeycomb-legacy-key",
        vendor="Honeycomb",
        docs="https://docs.honeycomb.io/configure/environments/manage-api-keys/",
        pattern="(?:[A-Za-z0-9]{22}|[0-9a-f]{32})",
        find=Find.ASSIGNED,
        keywords=("honeycomb",),
        named=(
            "key",
            "token",
        ),
        entropy=2.8,
        rank=30,
        positives=(
            "HONEYCOMB_API_KEY=«{b62:11}3{b62:10}»",
            "HONEYCOMB_WRITE_KEY=«{hex:32}»",
        ),
    ),
)
