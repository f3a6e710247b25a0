"""Credentials of ngrok."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="ngrok-token",
        vendor="ngrok",
        docs="https://ngrok.com/docs/agent/",
        pattern="(?:ak_)?[123][A-Za-z0-9]{26}_[A-Za-z0-9]{18,26}",
        find=Find.ASSIGNED,
        keywords=("ngrok",),
        named=(
            "token",
            "key",
            "auth",
        ),
        entropy=4.0,
        rank=30,
        positives=(
            "NGROK_AUTHTOKEN=«2{b62:26}_{b62:21}»",
            "ngrok config add-authtoken «2{b62:26}_{b62:21}»",
        ),
    ),
)
