"""Credentials of ClickUp."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="clickup-token",
        vendor="ClickUp",
        docs="https://developer.clickup.com/docs/authentication",
        pattern="pk_[0-9]{5,10}_[A-Z0-9]{32}",
        positives=("«pk_{dig:8}_{B36:32}»",),
    ),
)
