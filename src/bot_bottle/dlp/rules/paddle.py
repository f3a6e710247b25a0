"""Credentials of Paddle."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="paddle-key",
        vendor="Paddle",
        docs="https://developer.paddle.com/api-reference/about/api-keys",
        pattern="pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
        edge=Edge.FREE,
        positives=("«pdl_live_apikey_{b36:26}_{b62:22}_{b62:3}»",),
    ),
)
