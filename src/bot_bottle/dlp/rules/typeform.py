"""Credentials of Typeform."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="typeform-token",
        vendor="Typeform",
        docs="https://www.typeform.com/developers/get-started/personal-access-token/",
        pattern="tfp_[A-Za-z0-9_.=-]{40,60}",
        positives=("«tfp_{b62:43}_{b62:13}»",),
    ),
)
