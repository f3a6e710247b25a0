"""Credentials of Aiven."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="aiven-password",
        vendor="Aiven",
        docs="https://aiven.io/docs/platform/concepts/authentication-tokens",
        pattern="AVNS_[A-Za-z0-9_-]{15,24}",
        end="[A-Za-z0-9_-]",
        positives=("password: «AVNS_{b62:18}»",),
    ),
)
