"""Credentials of Apify."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="apify-token",
        vendor="Apify",
        docs="https://docs.apify.com/platform/integrations/api",
        pattern="apify_(?:api|proxy|ui|run)_[A-Za-z0-9]{30,40}",
        prefix="apify_api_",
        edge=Edge.FREE,
        positives=("«apify_api_{b62:36}»",),
    ),
)
