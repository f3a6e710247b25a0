"""Credentials of ElevenLabs."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="elevenlabs-key",
        vendor="ElevenLabs",
        docs="https://elevenlabs.io/docs/api-reference/authentication",
        pattern="sk_[0-9a-f]{48}",
        end="[A-Za-z0-9]",
        rank=55,
        positives=("xi-api-key: «sk_{hex:48}»",),
    ),
)
