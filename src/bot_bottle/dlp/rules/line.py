"""Credentials of LINE."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="line-channel-token",
        vendor="LINE",
        docs="https://developers.line.biz/en/docs/basics/channel-access-token/",
        pattern="[A-Za-z0-9+/]{140,180}={0,2}",
        find=Find.ASSIGNED,
        keywords=("line",),
        named=("token",),
        entropy=4.5,
        rank=30,
        positives=("LINE_CHANNEL_ACCESS_TOKEN=«{b64:20}4{b64:149}=»",),
    ),
)
