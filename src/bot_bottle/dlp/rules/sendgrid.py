"""Credentials of SendGrid."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="sendgrid-key",
        vendor="SendGrid",
        docs="https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
        pattern=r"SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}",
        positives=("SENDGRID_API_KEY=«SG.{b64u:22}.{b64u:43}»",),
        negatives=("SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",),
    ),
)
