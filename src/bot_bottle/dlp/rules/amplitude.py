"""Credentials of Amplitude."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="amplitude-key",
        vendor="Amplitude",
        docs="https://amplitude.com/docs/apis/authentication",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("amplitude",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("AMPLITUDE_SECRET_KEY=«{hex:32}»",),
    ),
)
