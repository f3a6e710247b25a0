"""Credentials of Adobe."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="adobe-client-secret",
        vendor="Adobe",
        docs="https://developer.adobe.com/developer-console/docs/guides/authentication/ServerToServerAuthentication/",
        pattern="p8e-[A-Za-z0-9_-]{32}",
        end="[A-Za-z0-9_-]",
        positives=("ADOBE_CLIENT_SECRET=«p8e-{b64u:32}»",),
    ),
)
