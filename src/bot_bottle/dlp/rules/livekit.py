"""Credentials of LiveKit."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="livekit-secret",
        vendor="LiveKit",
        docs="https://docs.livekit.io/home/get-started/authentication/",
        pattern="[A-Za-z0-9]{40,50}",
        find=Find.ASSIGNED,
        keywords=("livekit",),
        named=("secret",),
        entropy=3.8,
        rank=30,
        positives=("LIVEKIT_API_SECRET=«{b62:20}4{b62:22}»",),
    ),
)
