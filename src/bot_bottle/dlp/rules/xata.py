"""Credentials of Xata."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="xata-key",
        vendor="Xata",
        docs="https://xata.io/documentation",
        pattern="xau_[A-Za-z0-9]{32,}",
        positives=("«xau_{b62:40}»",),
    ),
)
