"""Credentials of OpenRouter."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="openrouter-key",
        vendor="OpenRouter",
        docs="https://openrouter.ai/docs/api-reference/authentication",
        pattern="sk-or-(?:v1-)?[0-9a-f]{64}",
        rank=70,
        positives=("«sk-or-v1-{hex:64}»",),
    ),
)
