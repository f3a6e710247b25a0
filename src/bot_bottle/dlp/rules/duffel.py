"""Credentials of Duffel."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="duffel-token",
        vendor="Duffel",
        docs="https://duffel.com/docs/api/overview/making-requests",
        pattern="duffel_(?:test|live)_[A-Za-z0-9_=-]{43}",
        prefix="duffel_live_",
        edge=Edge.FREE,
        positives=("«duffel_live_{b64u:43}»",),
    ),
)
