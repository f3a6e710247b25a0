"""Credentials of Mailgun."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="mailgun-key",
        vendor="Mailgun",
        docs="https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt/rbac-mgmt",
        pattern="(?:key|pubkey)-[0-9a-f]{32}",
        prefix="key-",
        end="[0-9a-zA-Z]",
        positives=("MAILGUN_API_KEY=«key-{hex:32}»",),
    ),
    Rule(
        name="mailgun-token",
        vendor="Mailgun",
        docs="https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt/rbac-mgmt",
        pattern="[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}",
        find=Find.ASSIGNED,
        keywords=("mailgun",),
        named=(
            "key",
            "token",
            "pass",
        ),
        rank=30,
        positives=(
            "MAILGUN_API_KEY=«{hex:32}-{hex:8}-{hex:8}»",
            'mailgun: {lb}apiKey: "«{hex:32}-{hex:8}-{hex:8}»"{rb}',
        ),
    ),
)
