"""Credentials of MongoDB Atlas."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="mongodb-atlas-secret",
        vendor="MongoDB Atlas",
        docs="https://www.mongodb.com/docs/atlas/api/service-accounts/generate-oauth2-token/",
        pattern="mdb_sa_sk_[A-Za-z0-9_-]{40}",
        edge=Edge.FREE,
        positives=("«mdb_sa_sk_{b64u:40}»",),
    ),
)
