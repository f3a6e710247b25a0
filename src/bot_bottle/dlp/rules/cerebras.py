"""Credentials of Cerebras."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="cerebras-key",
        vendor="Cerebras",
        docs="https://inference-docs.cerebras.ai/quickstart",
        pattern="csk-[a-z0-9]{40,56}",
        positives=("«csk-{b36:48}»",),
    ),
)
