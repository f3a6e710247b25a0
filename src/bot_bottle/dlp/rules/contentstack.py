"""Credentials of Contentstack."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="contentstack-token",
        vendor="Contentstack",
        docs="https://www.contentstack.com/docs/developers/apis/content-management-api",
        pattern="cs[0-9a-f]{34}",
        find=Find.ASSIGNED,
        prefix="cs",
        keywords=("contentstack",),
        named=(
            "token",
            "key",
        ),
        random=False,
        rank=30,
        positives=("CONTENTSTACK_MANAGEMENT_TOKEN=«cs{hex:34}»",),
    ),
)
