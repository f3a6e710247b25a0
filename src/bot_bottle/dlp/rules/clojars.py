"""Credentials of Clojars."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="clojars-token",
        vendor="Clojars",
        docs="https://github.com/clojars/clojars-web/wiki/Deploy-Tokens",
        pattern="(?i)CLOJARS_[a-z0-9]{60}",
        prefix="CLOJARS_",
        edge=Edge.FREE,
        positives=("«CLOJARS_{hex:60}»",),
    ),
)
