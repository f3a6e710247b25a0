"""Credentials of Twilio."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="twilio-key",
        vendor="Twilio",
        docs="https://www.twilio.com/docs/iam/api-keys",
        pattern="SK[0-9a-f]{32}",
        end="[0-9a-zA-Z]",
        positives=("TWILIO_API_KEY=«SK{hex:32}»",),
    ),
    Rule(
        name="twilio-auth-token",
        vendor="Twilio",
        docs="https://www.twilio.com/docs/iam/api-keys",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("twilio",),
        named=(
            "token",
            "secret",
            "auth",
            "key",
        ),
        rank=30,
        positives=("TWILIO_AUTH_TOKEN=«{hex:32}»",),
    ),
)
