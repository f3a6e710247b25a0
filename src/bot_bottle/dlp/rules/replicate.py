"""Credentials of Replicate."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="replicate-token",
        vendor="Replicate",
        docs="https://replicate.com/docs/topics/security/api-tokens",
        pattern="r8_[A-Za-z0-9]{37,40}",
        positives=("REPLICATE_API_TOKEN=«r8_{b62:37}»",),
    ),
)
