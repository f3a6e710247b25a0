"""Credentials of Rootly."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="rootly-token",
        vendor="Rootly",
        docs="https://docs.rootly.com/api-reference/overview",
        pattern="rootly_[0-9a-f]{64}",
        positives=("«rootly_{hex:64}»",),
    ),
)
