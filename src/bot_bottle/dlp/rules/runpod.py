"""Credentials of RunPod."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="runpod-key",
        vendor="RunPod",
        docs="https://docs.runpod.io/get-started/api-keys",
        pattern="rpa_[A-Z0-9]{40,60}[a-z0-9]{0,8}",
        positives=("RUNPOD_API_KEY=«rpa_{B36:42}{b36:4}»",),
    ),
)
