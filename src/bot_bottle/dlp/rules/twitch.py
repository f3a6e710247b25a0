"""Credentials of Twitch."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="twitch-token",
        vendor="Twitch",
        docs="https://dev.twitch.tv/docs/authentication/",
        pattern="(?:oauth:)?[a-z0-9]{30}",
        find=Find.ASSIGNED,
        keywords=("twitch",),
        named=(
            "secret",
            "token",
            "key",
        ),
        entropy=3.5,
        rank=30,
        positives=("TWITCH_CLIENT_SECRET=«{b36:15}4{b36:14}»",),
    ),
)
