"""Credentials of dbt."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="dbt-token",
        vendor="dbt",
        docs="https://docs.getdbt.com/docs/dbt-cloud-apis/authentication",
        pattern="dbt[cu]_[A-Za-z0-9_-]{30,}",
        positives=("«dbtc_{b64u:60}»",),
    ),
)
