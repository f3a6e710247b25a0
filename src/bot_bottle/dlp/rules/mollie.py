"""Credentials of Mollie."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="mollie-key",
        vendor="Mollie",
        docs="https://docs.mollie.com/reference/authentication",
        pattern="(?:live|test)_[A-Za-z0-9]{30}",
        prefix="live_",
        end="[A-Za-z0-9_]",
        keywords=("mollie",),
        positives=("MOLLIE_API_KEY=«live_{b62:30}»",),
    ),
)
