"""Credentials of ngrok."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="ngrok-token",
        vendor="ngrok",
        docs="https://ngrok.com/docs/agent/",
        pattern="(?:ak_)?[12][A-Za-z0-9]{26}_[A-Za-z0-9]{18,26}",
        end="[A-Za-z0-9_]",
        keywords=("ngrok",),
        positives=("NGROK_AUTHTOKEN=«2{b62:26}_{b62:21}»",),
    ),
)
