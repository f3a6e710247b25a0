"""Credentials of WakaTime."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="wakatime-key",
        vendor="WakaTime",
        docs="https://wakatime.com/developers",
        pattern="waka_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        positives=("«waka_{uuid}»",),
    ),
)
