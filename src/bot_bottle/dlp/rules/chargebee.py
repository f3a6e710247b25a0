"""Credentials of Chargebee."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="chargebee-key",
        vendor="Chargebee",
        docs="https://apidocs.chargebee.com/docs/api/auth",
        pattern="(?:live|test)_(?:cu)?[A-Za-z0-9]{32,50}",
        prefix="live_",
        keywords=("chargebee",),
        positives=("CHARGEBEE_API_KEY=«live_{b62:34}»",),
    ),
)
