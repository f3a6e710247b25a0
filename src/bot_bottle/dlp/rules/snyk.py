"""Credentials of Snyk."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="snyk-token",
        vendor="Snyk",
        docs="https://docs.snyk.io/snyk-api/authentication-for-api",
        pattern=r"snyk_[a-z]{3}\.[0-9a-f]{8}\.[A-Za-z0-9_.-]{60,}",
        edge=Edge.FREE,
        positives=("«snyk_uat.{hex:8}.{b64u:110}»",),
    ),
    Rule(
        name="snyk-legacy-token",
        vendor="Snyk",
        docs="https://docs.snyk.io/snyk-api/authentication-for-api",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=("snyk",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("SNYK_TOKEN=«{uuid}»",),
    ),
)
