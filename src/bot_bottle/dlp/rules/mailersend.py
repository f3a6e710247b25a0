"""Credentials of MailerSend."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="mailersend-token",
        vendor="MailerSend",
        docs="https://developers.mailersend.com/general",
        pattern=r"mlsn\.[0-9a-f]{64}",
        positives=("«mlsn.{hex:64}»",),
    ),
)
