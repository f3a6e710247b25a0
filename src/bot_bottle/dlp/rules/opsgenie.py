"""Credentials of Opsgenie."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="opsgenie-key",
        vendor="Opsgenie",
        docs="https://docs.opsgenie.com/docs/api-key-management",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=(
            "opsgenie",
            "geniekey",
        ),
        named=(
            "key",
            "token",
            "auth",
        ),
        rank=30,
        positives=(
            "OPSGENIE_API_KEY=«{uuid}»",
            "Authorization: GenieKey «{uuid}»",
        ),
    ),
)
