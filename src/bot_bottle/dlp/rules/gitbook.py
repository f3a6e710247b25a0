"""Credentials of GitBook."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="gitbook-token",
        vendor="GitBook",
        docs="https://gitbook.com/docs/developers/gitbook-api/authentication",
        pattern="gb_api_[A-Za-z0-9]{30,}",
        positives=("«gb_api_{b62:40}»",),
    ),
)
