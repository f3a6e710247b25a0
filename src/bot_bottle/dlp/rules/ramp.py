"""Credentials of Ramp."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="ramp-secret",
        vendor="Ramp",
        docs="https://docs.ramp.com/developer-api/v1/authorization",
        pattern="ramp_(?:sec|tok|id)_[A-Za-z0-9]{32,}",
        prefix="ramp_sec_",
        positives=("«ramp_sec_{b62:48}»",),
    ),
)
