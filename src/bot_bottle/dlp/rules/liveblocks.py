"""Credentials of Liveblocks."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="liveblocks-key",
        vendor="Liveblocks",
        docs="https://liveblocks.io/docs/api-reference/rest-api-endpoints",
        pattern="sk_(?:prod|dev)_[A-Za-z0-9_-]{40,}",
        prefix="sk_prod_",
        keywords=("liveblocks",),
        rank=58,
        positives=("LIVEBLOCKS_SECRET_KEY=«sk_prod_{b64u:64}»",),
    ),
)
