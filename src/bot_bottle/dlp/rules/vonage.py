"""Credentials of Vonage."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="vonage-secret",
        vendor="Vonage",
        docs="https://developer.vonage.com/en/getting-started/concepts/authentication",
        pattern="[A-Za-z0-9]{16}",
        find=Find.ASSIGNED,
        keywords=(
            "vonage",
            "nexmo",
        ),
        named=("secret",),
        entropy=3.0,
        rank=30,
        positives=("VONAGE_API_SECRET=«{b62:8}5{b62:7}»",),
    ),
)
