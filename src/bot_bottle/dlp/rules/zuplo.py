"""Credentials of Zuplo."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="zuplo-key",
        vendor="Zuplo",
        docs="https://zuplo.com/docs/articles/api-key-leak-detection",
        pattern="zpka_[a-z0-9]{32}_[a-z0-9]{8}",
        positives=("«zpka_{b36:32}_{hex:8}»",),
    ),
)
