"""Credentials of Sanity."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="sanity-token",
        vendor="Sanity",
        docs="https://www.sanity.io/docs/content-lake/http-auth",
        pattern="sk[A-Za-z0-9]{80,}",
        find=Find.ASSIGNED,
        keywords=("sanity",),
        named=(
            "token",
            "key",
        ),
        entropy=4.0,
        rank=30,
        positives=("SANITY_API_TOKEN=«sk{b62:20}4{b62:150}»",),
    ),
)
