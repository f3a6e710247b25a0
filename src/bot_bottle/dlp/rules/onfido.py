"""Credentials of Onfido."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="onfido-token",
        vendor="Onfido",
        docs="https://documentation.onfido.com/api/latest/",
        pattern=r"api_(?:live|sandbox)(?:_[a-z]{2})?\.[A-Za-z0-9_-]{11}\.[A-Za-z0-9_-]{32}",
        prefix="api_live.",
        positives=("«api_live.{b64u:11}.{b64u:32}»",),
    ),
)
