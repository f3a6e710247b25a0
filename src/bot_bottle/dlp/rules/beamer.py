"""Credentials of Beamer."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="beamer-key",
        vendor="Beamer",
        docs="https://www.getbeamer.com/api",
        pattern="b_[A-Za-z0-9=_/+-]{44}",
        find=Find.ASSIGNED,
        keywords=("beamer",),
        named=("key",),
        rank=30,
        positives=("BEAMER_API_KEY=«b_{b62:20}4{b62:23}»",),
    ),
)
