"""Credentials of Klaviyo."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="klaviyo-private-key",
        vendor="Klaviyo",
        docs="https://developers.klaviyo.com/en/docs/authenticate_",
        pattern="pk_(?:[A-Za-z0-9]{6}_)?[0-9a-f]{34}",
        end="[A-Za-z0-9]",
        positives=("Authorization: Klaviyo-API-Key «pk_{hex:34}»",),
    ),
)
