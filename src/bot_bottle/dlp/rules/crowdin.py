"""Credentials of Crowdin."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="crowdin-token",
        vendor="Crowdin",
        docs="https://support.crowdin.com/developer/enterprise/api/",
        pattern="[0-9a-f]{80}",
        find=Find.ASSIGNED,
        keywords=("crowdin",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("CROWDIN_PERSONAL_TOKEN=«{hex:80}»",),
    ),
)
