"""Credentials of Prefect."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="prefect-key",
        vendor="Prefect",
        docs="https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys",
        pattern="pn[ub]_[A-Za-z0-9]{36}",
        positives=("PREFECT_API_KEY=«pnu_{b62:36}»",),
    ),
)
