"""Credentials of Resend."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="resend-key",
        vendor="Resend",
        docs="https://resend.com/docs/api-reference/introduction",
        pattern="re_[A-Za-z0-9]{7,9}_[A-Za-z0-9]{22,26}",
        end="[A-Za-z0-9_-]",
        positives=("RESEND_API_KEY=«re_{b62:8}_{b62:24}»",),
    ),
)
