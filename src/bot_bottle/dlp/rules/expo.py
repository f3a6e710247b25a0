"""Credentials of Expo."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="expo-token",
        vendor="Expo",
        docs="https://docs.expo.dev/accounts/programmatic-access/",
        pattern="[A-Za-z0-9_-]{40}",
        find=Find.ASSIGNED,
        keywords=(
            "expo_token",
            "expo-token",
            "expo.dev",
            "eas_",
        ),
        named=(
            "token",
            "key",
        ),
        entropy=3.8,
        rank=30,
        positives=("EXPO_TOKEN=«{b64u:20}4{b64u:19}»",),
    ),
)
