"""Credentials of Trello."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="trello-token",
        vendor="Trello",
        docs="https://developer.atlassian.com/cloud/trello/guides/rest-api/api-introduction/",
        pattern="ATTA[0-9a-f]{64}",
        positives=("TRELLO_TOKEN=«ATTA{hex:64}»",),
    ),
    Rule(
        name="trello-key",
        vendor="Trello",
        docs="https://developer.atlassian.com/cloud/trello/guides/rest-api/api-introduction/",
        pattern="(?:[0-9a-f]{32}|[0-9a-f]{64})",
        find=Find.ASSIGNED,
        keywords=("trello",),
        named=(
            "token",
            "key",
            "secret",
        ),
        rank=30,
        positives=("TRELLO_API_KEY=«{hex:32}»",),
    ),
)
