"""Credentials of Deepgram."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="deepgram-key",
        vendor="Deepgram",
        docs="https://developers.deepgram.com/docs/authenticating",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=("deepgram",),
        named=(
            "key",
            "token",
            "auth",
        ),
        rank=30,
        positives=("DEEPGRAM_API_KEY=«{hex:40}»",),
    ),
)
