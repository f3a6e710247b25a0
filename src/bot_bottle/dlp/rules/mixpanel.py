"""Credentials of Mixpanel."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="mixpanel-secret",
        vendor="Mixpanel",
        docs="https://developer.mixpanel.com/reference/authentication",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("mixpanel",),
        named=(
            "token",
            "secret",
            "key",
        ),
        rank=30,
        positives=("MIXPANEL_API_SECRET=«{hex:32}»",),
    ),
)
