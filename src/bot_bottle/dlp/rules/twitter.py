"""Credentials of X."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="twitter-bearer-token",
        vendor="X",
        docs="https://docs.x.com/fundamentals/authentication/oauth-2-0/application-only",
        pattern="A{20,24}[A-Za-z0-9%]{60,120}",
        find=Find.ASSIGNED,
        prefix="AAAAAAAAAAAAAAAAAAAA",
        keywords=(
            "bearer",
            "twitter",
            "x.com",
        ),
        rank=30,
        positives=(
            "Authorization: Bearer «AAAAAAAAAAAAAAAAAAAAA{b62:9}7{b62:20}%2B{b62:50}»",
            "TWITTER_BEARER_TOKEN=«AAAAAAAAAAAAAAAAAAAAA{b62:9}7{b62:20}%2B{b62:50}»",
        ),
    ),
)
