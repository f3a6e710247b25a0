"""Credentials of Linode."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="linode-token",
        vendor="Linode",
        docs="https://techdocs.akamai.com/linode-api/reference/get-started",
        pattern="[0-9a-f]{64}",
        find=Find.ASSIGNED,
        keywords=("linode",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("LINODE_TOKEN=«{hex:64}»",),
    ),
)
