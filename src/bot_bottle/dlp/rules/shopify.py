"""Credentials of Shopify."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="shopify-token",
        vendor="Shopify",
        docs="https://shopify.dev/docs/apps/build/authentication-authorization",
        pattern="shp(?:at|ca|pa|ss|tka|ua)_[0-9a-fA-F]{32}",
        prefix="shpat_",
        edge=Edge.WORD,
        positives=(
            "X-Shopify-Access-Token: «shpat_{hex:32}»",
            "«shpss_{hex:32}»",
        ),
    ),
)
