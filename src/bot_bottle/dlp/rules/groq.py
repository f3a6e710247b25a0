"""Credentials of Groq."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="groq-key",
        vendor="Groq",
        docs="https://console.groq.com/docs/quickstart",
        pattern="gsk_[A-Za-z0-9]{40,}",
        positives=("GROQ_API_KEY=«gsk_{b62:52}»",),
    ),
)
