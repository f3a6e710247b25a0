"""Credentials of Paystack."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="paystack-key",
        vendor="Paystack",
        docs="https://paystack.com/docs/api/authentication/",
        pattern="sk_(?:live|test)_[0-9a-f]{40}",
        prefix="sk_live_",
        end="[A-Za-z0-9]",
        rank=56,
        positives=("PAYSTACK_SECRET_KEY=«sk_live_{hex:40}»",),
    ),
)
