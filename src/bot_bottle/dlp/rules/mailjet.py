"""Credentials of Mailjet."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="mailjet-key",
        vendor="Mailjet",
        docs="https://dev.mailjet.com/email/reference/overview/authentication/",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=(
            "mailjet",
            "mj_api",
        ),
        named=(
            "key",
            "secret",
            "token",
        ),
        rank=30,
        positives=("MJ_APIKEY_PRIVATE=«{hex:32}»",),
    ),
)
