"""Credentials of Cockroach Labs."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="cockroach-cloud-key",
        vendor="Cockroach Labs",
        docs="https://www.cockroachlabs.com/docs/cockroachcloud/managing-access",
        pattern="CCDB1_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}",
        edge=Edge.FREE,
        positives=("«CCDB1_{b62:22}_{b62:40}»",),
    ),
)
