"""Credentials of Upstash."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="upstash-token",
        vendor="Upstash",
        docs="https://upstash.com/docs/redis/features/restapi",
        pattern="A[A-Za-z0-9_-]{50,}={0,2}",
        find=Find.ASSIGNED,
        keywords=("upstash",),
        named=("token",),
        entropy=3.8,
        rank=30,
        positives=("UPSTASH_REDIS_REST_TOKEN=«AX{b62:18}4{b62:40}»",),
    ),
)
