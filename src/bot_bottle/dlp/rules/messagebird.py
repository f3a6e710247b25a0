"""Credentials of MessageBird."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="messagebird-key",
        vendor="MessageBird",
        docs="https://developers.messagebird.com/api/",
        pattern="[A-Za-z0-9]{25}",
        find=Find.ASSIGNED,
        keywords=("messagebird",),
        named=(
            "key",
            "token",
        ),
        entropy=3.4,
        rank=30,
        positives=("MESSAGEBIRD_ACCESS_KEY=«{b62:12}5{b62:12}»",),
    ),
)
