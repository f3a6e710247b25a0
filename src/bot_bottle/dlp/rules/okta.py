"""Credentials of Okta."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="okta-token",
        vendor="Okta",
        docs="https://developer.okta.com/docs/guides/create-an-api-token/main/",
        pattern="00[A-Za-z0-9_-]{40}",
        find=Find.ASSIGNED,
        keywords=(
            "okta",
            "ssws",
        ),
        named=(
            "token",
            "key",
            "auth",
        ),
        entropy=3.8,
        rank=30,
        positives=(
            "OKTA_API_TOKEN=«00{b64u:20}4{b64u:19}»",
            "Authorization: SSWS «00{b64u:20}4{b64u:19}»",
        ),
    ),
)
