"""Credentials of Nylas."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="nylas-key",
        vendor="Nylas",
        docs="https://developer.nylas.com/docs/v3/auth/",
        pattern="nyk_v0_[A-Za-z0-9]{60,}",
        positives=("«nyk_v0_{b62:64}»",),
    ),
)
