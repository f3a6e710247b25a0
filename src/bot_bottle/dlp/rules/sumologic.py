"""Credentials of Sumo Logic."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="sumologic-key",
        vendor="Sumo Logic",
        docs="https://help.sumologic.com/docs/manage/security/access-keys/",
        pattern="[A-Za-z0-9]{64}",
        find=Find.ASSIGNED,
        keywords=("sumo",),
        named=(
            "key",
            "token",
            "secret",
        ),
        entropy=4.0,
        rank=30,
        positives=("SUMO_ACCESS_KEY=«{b62:20}4{b62:43}»",),
    ),
)
