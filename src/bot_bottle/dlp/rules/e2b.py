"""Credentials of E2B."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="e2b-key",
        vendor="E2B",
        docs="https://e2b.dev/docs/api-key",
        pattern="e2b_[0-9a-f]{40}",
        positives=("E2B_API_KEY=«e2b_{hex:40}»",),
    ),
    Rule(
        name="e2b-access-token",
        vendor="E2B",
        docs="https://e2b.dev/docs/api-key",
        pattern="sk_e2b_[0-9a-f]{40}",
        rank=70,
        positives=("«sk_e2b_{hex:40}»",),
    ),
)
