"""Credentials of Flutterwave."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="flutterwave-key",
        vendor="Flutterwave",
        docs="https://developer.flutterwave.com/docs/authentication",
        pattern="FLWSECK(?:_TEST)?-[0-9a-zA-Z]{12,40}-X",
        prefix="FLWSECK_TEST-",
        edge=Edge.FREE,
        positives=("«FLWSECK_TEST-{hex:32}-X»",),
    ),
)
