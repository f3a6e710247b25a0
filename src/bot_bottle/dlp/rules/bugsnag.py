"""Credentials of BugSnag."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="bugsnag-key",
        vendor="BugSnag",
        docs="https://docs.bugsnag.com/api/data-access/",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("bugsnag",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("BUGSNAG_API_KEY=«{hex:32}»",),
    ),
)
