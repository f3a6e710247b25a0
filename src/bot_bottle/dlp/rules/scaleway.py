"""Credentials of Scaleway."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="scaleway-secret-key",
        vendor="Scaleway",
        docs="https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=(
            "scaleway",
            "scw_",
        ),
        named=(
            "secret",
            "token",
        ),
        rank=30,
        positives=("SCW_SECRET_KEY=«{uuid}»",),
    ),
)
