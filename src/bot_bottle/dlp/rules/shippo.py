"""Credentials of Shippo."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="shippo-token",
        vendor="Shippo",
        docs="https://docs.goshippo.com/docs/guides_general/authentication/",
        pattern="shippo_(?:live|test)_[0-9a-f]{40}",
        prefix="shippo_live_",
        edge=Edge.FREE,
        positives=("«shippo_live_{hex:40}»",),
    ),
)
