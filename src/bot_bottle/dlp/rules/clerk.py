"""Credentials of Clerk."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="clerk-secret-key",
        vendor="Clerk",
        docs="https://clerk.com/docs/deployments/clerk-environment-variables",
        pattern="sk_(?:live|test)_[A-Za-z0-9]{40,50}",
        prefix="sk_live_",
        end="[A-Za-z0-9]",
        keywords=("clerk",),
        rank=57,
        positives=("CLERK_SECRET_KEY=«sk_test_{b62:42}»",),
    ),
)
