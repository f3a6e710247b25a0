"""Credentials of Telnyx."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="telnyx-key",
        vendor="Telnyx",
        docs="https://developers.telnyx.com/development/api-fundamentals/authentication",
        pattern="KEY[0-9A-F]{32}_[A-Za-z0-9]{22}",
        positives=("«KEY{HEX:32}_{b62:22}»",),
    ),
)
