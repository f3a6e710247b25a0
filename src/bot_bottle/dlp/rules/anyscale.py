"""Credentials of Anyscale."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="anyscale-key",
        vendor="Anyscale",
        docs="https://docs.anyscale.com/",
        pattern="(?:esecret|aph0|sss|ash0)_[A-Za-z0-9]{24,}",
        prefix="esecret_",
        positives=("«esecret_{b36:26}»",),
    ),
)
