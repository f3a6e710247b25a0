"""Credentials of DigitalOcean."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="digitalocean-token",
        vendor="DigitalOcean",
        docs="https://docs.digitalocean.com/reference/api/create-personal-access-token/",
        pattern="do[opr]_v1_[0-9a-f]{64}",
        edge=Edge.FREE,
        positives=("«dop_v1_{hex:64}»",),
    ),
)
