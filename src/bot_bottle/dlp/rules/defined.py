"""Credentials of Defined Networking."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="defined-networking-token",
        vendor="Defined Networking",
        docs="https://docs.defined.net/glossary/api-key/",
        pattern="dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}",
        edge=Edge.WORD,
        positives=("«dnkey-{b36:26}-{b36:52}»",),
    ),
)
