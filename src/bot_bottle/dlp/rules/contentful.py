"""Credentials of Contentful."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="contentful-token",
        vendor="Contentful",
        docs="https://www.contentful.com/developers/docs/references/authentication/",
        pattern="CFPAT-[A-Za-z0-9_-]{43}",
        positives=("«CFPAT-{b64u:43}»",),
    ),
)
