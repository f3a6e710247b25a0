"""Credentials of GoCardless."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="gocardless-token",
        vendor="GoCardless",
        docs="https://developer.gocardless.com/api-reference/",
        pattern="(?:live|sandbox)_[A-Za-z0-9_-]{40}",
        prefix="live_",
        keywords=("gocardless",),
        positives=("GOCARDLESS_ACCESS_TOKEN=«live_{b64u:40}»",),
    ),
)
