"""Credentials of Frame.io."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="frameio-token",
        vendor="Frame.io",
        docs="https://developer.adobe.com/frameio/guides/",
        pattern="fio-u-[A-Za-z0-9_=-]{64}",
        positives=("«fio-u-{b64u:64}»",),
    ),
)
