"""Credentials of Asaas."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="asaas-key",
        vendor="Asaas",
        docs="https://docs.asaas.com/docs/authentication-2",
        pattern=r"\$aact_[A-Za-z0-9_=:$-]{100,}",
        prefix="$aact_",
        edge=Edge.FREE,
        positives=("«$aact_prod_{b62:150}»",),
    ),
)
