"""Credentials of Midtrans."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="midtrans-server-key",
        vendor="Midtrans",
        docs="https://docs.midtrans.com/docs/access-keys",
        pattern="Mid-server-[A-Za-z0-9_-]{24}",
        positives=("«Mid-server-{b64u:24}»",),
    ),
)
