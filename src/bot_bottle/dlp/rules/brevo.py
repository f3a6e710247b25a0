"""Credentials of Brevo."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="brevo-key",
        vendor="Brevo",
        docs="https://developers.brevo.com/docs/getting-started",
        pattern="x(?:keysib|smtpsib)-[0-9a-f]{64}-[A-Za-z0-9]{16}",
        prefix="xkeysib-",
        edge=Edge.FREE,
        positives=(
            "«xkeysib-{hex:64}-{b62:16}»",
            "«xsmtpsib-{hex:64}-{b62:16}»",
        ),
    ),
)
