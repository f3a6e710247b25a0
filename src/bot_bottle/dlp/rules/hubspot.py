"""Credentials of HubSpot."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="hubspot-token",
        vendor="HubSpot",
        docs="https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
        pattern="pat-(?:na|eu|ap|jp|au)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        prefix="pat-na1-",
        random=False,
        positives=(
            "«pat-na1-{uuid}»",
            "«pat-eu1-{uuid}»",
        ),
    ),
)
