"""Credentials of Unkey."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="unkey-key",
        vendor="Unkey",
        docs="https://www.unkey.com/docs/security/root-keys",
        pattern="unkey_[A-Za-z0-9_]{20,}",
        positives=("«unkey_{b62:24}»",),
    ),
)
