"""Credentials of Pinecone."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="pinecone-key",
        vendor="Pinecone",
        docs="https://docs.pinecone.io/guides/projects/manage-api-keys",
        pattern="pcsk_[A-Za-z0-9]{5,8}_[A-Za-z0-9]{50,}",
        edge=Edge.FREE,
        positives=("PINECONE_API_KEY=«pcsk_{b62:6}_{b62:63}»",),
    ),
    Rule(
        name="pinecone-legacy-key",
        vendor="Pinecone",
        docs="https://docs.pinecone.io/guides/projects/manage-api-keys",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=("pinecone",),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("PINECONE_API_KEY=«{uuid}»",),
    ),
)
