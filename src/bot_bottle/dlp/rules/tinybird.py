"""Credentials of Tinybird."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="tinybird-token",
        vendor="Tinybird",
        docs="https://www.tinybird.co/docs/forward/administration/tokens",
        pattern=r"p\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{40,}",
        trigger=r"p\.eyJ[A-Za-z0-9_-]{40}",
        rank=60,
        positives=("«p.eyJ{b64u:100}.{b64u:43}»",),
    ),
)
