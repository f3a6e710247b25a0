"""Credentials of EasyPost."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="easypost-key",
        vendor="EasyPost",
        docs="https://docs.easypost.com/docs/authentication",
        pattern="EZ[AT]K[A-Za-z0-9]{54}",
        edge=Edge.ALONE,
        positives=("«EZAK{b62:54}»",),
    ),
)
