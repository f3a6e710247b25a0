"""Credentials of Segment."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="segment-key",
        vendor="Segment",
        docs="https://segment.com/docs/connections/find-writekey/",
        pattern="[A-Za-z0-9]{32}",
        find=Find.ASSIGNED,
        keywords=("segment",),
        named=(
            "key",
            "token",
        ),
        entropy=3.6,
        rank=30,
        positives=("SEGMENT_WRITE_KEY=«{b62:16}6{b62:15}»",),
    ),
)
