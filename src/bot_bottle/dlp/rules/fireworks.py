"""Credentials of Fireworks AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="fireworks-key",
        vendor="Fireworks AI",
        docs="https://docs.fireworks.ai/getting-started/quickstart",
        pattern="fw_[A-Za-z0-9]{20,28}",
        end="[A-Za-z0-9_-]",
        positives=("FIREWORKS_API_KEY=«fw_{b62:22}»",),
        negatives=("fw_get_number_of_things_available",),
    ),
)
