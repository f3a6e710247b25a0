"""Credentials of X."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="twitter-bearer-token",
        vendor="X",
        docs="https://docs.x.com/fundamentals/authentication/oauth-2-0/application-only",
        pattern="A{20,24}[A-Za-z0-9%]{60,120}",
        prefix="AAAAAAAAAAAAAAAAAAAA",
        end="[A-Za-z0-9+/=_-]",
        keywords=(
            "bearer",
            "twitter",
            "x.com",
            "token",
        ),
        positives=("Authorization: Bearer «AAAAAAAAAAAAAAAAAAAAA{b62:30}%2B{b62:50}»",),
    ),
)
