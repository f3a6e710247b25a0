"""Credentials of Samsara."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="samsara-token",
        vendor="Samsara",
        docs="https://developers.samsara.com/docs/authentication",
        pattern="samsara_api_[A-Za-z0-9]{30}",
        positives=("«samsara_api_{b62:30}»",),
    ),
)
