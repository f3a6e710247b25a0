"""Credentials of Zendesk."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="zendesk-token",
        vendor="Zendesk",
        docs="https://developer.zendesk.com/api-reference/introduction/security-and-auth/",
        pattern="[A-Za-z0-9]{40}",
        find=Find.ASSIGNED,
        keywords=("zendesk",),
        named=(
            "token",
            "key",
            "secret",
        ),
        entropy=3.8,
        rank=30,
        positives=("ZENDESK_API_TOKEN=«{b62:20}4{b62:19}»",),
    ),
)
