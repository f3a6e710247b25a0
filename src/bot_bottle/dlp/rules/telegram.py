"""Credentials of Telegram."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="telegram-bot-token",
        vendor="Telegram",
        docs="https://core.telegram.org/bots/api",
        pattern="[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}",
        edge=Edge.FREE,
        end="[A-Za-z0-9_-]",
        positives=("https://api.telegram.org/bot«{dig:10}:AA{b64u:33}»/getMe",),
        negatives=("1234567890:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",),
    ),
)
