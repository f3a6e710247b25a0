"""Credentials of Fauna."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="fauna-secret",
        vendor="Fauna",
        docs="https://docs.fauna.com/fauna/current/learn/security/keys/",
        pattern="fn[AFE][A-Za-z0-9_-]{37,53}",
        end="[A-Za-z0-9_-]",
        keywords=("fauna",),
        positives=("FAUNA_SECRET=«fnA{b64u:37}»",),
    ),
)
