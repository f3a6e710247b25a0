"""Credentials of Mergify."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="mergify-key",
        vendor="Mergify",
        docs="https://docs.mergify.com/api-usage/",
        pattern="mka_[A-Za-z0-9]{32,}",
        positives=("«mka_{b62:43}»",),
    ),
)
