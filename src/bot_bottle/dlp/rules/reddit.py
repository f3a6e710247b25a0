"""Credentials of Reddit."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="reddit-secret",
        vendor="Reddit",
        docs="https://github.com/reddit-archive/reddit/wiki/OAuth2",
        pattern="[A-Za-z0-9_-]{27,30}",
        find=Find.ASSIGNED,
        keywords=("reddit",),
        named=("secret",),
        entropy=3.6,
        rank=30,
        positives=("REDDIT_CLIENT_SECRET=«{b64u:15}4{b64u:14}»",),
    ),
)
