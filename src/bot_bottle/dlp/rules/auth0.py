"""Credentials of Auth0."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="auth0-client-secret",
        vendor="Auth0",
        docs="https://auth0.com/docs/get-started/applications/rotate-client-secret",
        pattern="[A-Za-z0-9_-]{64}",
        find=Find.ASSIGNED,
        keywords=("auth0",),
        named=("secret",),
        entropy=4.0,
        rank=30,
        positives=("AUTH0_CLIENT_SECRET=«{b64u:20}4{b64u:43}»",),
    ),
)
