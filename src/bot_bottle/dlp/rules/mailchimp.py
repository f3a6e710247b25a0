"""Credentials of Mailchimp."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="mailchimp-key",
        vendor="Mailchimp",
        docs="https://mailchimp.com/developer/marketing/guides/quick-start/",
        pattern="[0-9a-f]{32}-us[0-9]{1,2}",
        end="[0-9a-zA-Z-]",
        positives=("«{hex:32}-us21»",),
    ),
    Rule(
        name="mandrill-key",
        vendor="Mailchimp",
        docs="https://mailchimp.com/developer/transactional/guides/quick-start/",
        pattern="md-[A-Za-z0-9_-]{22}",
        end="[A-Za-z0-9_-]",
        keywords=(
            "mandrill",
            "mailchimp",
        ),
        positives=("MANDRILL_API_KEY=«md-{b64u:22}»",),
    ),
)
