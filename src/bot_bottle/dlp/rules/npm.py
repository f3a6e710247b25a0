"""Credentials of npm."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="npm-token",
        vendor="npm",
        docs="https://docs.npmjs.com/about-access-tokens",
        pattern="npm_[A-Za-z0-9]{36}",
        edge=Edge.FREE,
        check="crc_base62",
        rank=70,
        positives=("_authToken=«npm_{b62:30}{crc62}»",),
        negatives=("npm_{b62:36}",),
    ),
    Rule(
        name="npm-legacy-token",
        vendor="npm",
        docs="https://docs.npmjs.com/about-access-tokens",
        pattern=r'_authToken["\s]{0,3}[=:][\s"]{0,3}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})',
        group=1,
        edge=Edge.FREE,
        random=False,
        positives=("//registry.example.org/:_authToken=«{uuid}»",),
    ),
)
