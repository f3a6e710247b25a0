"""Credentials of Hetzner."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="hetzner-token",
        vendor="Hetzner",
        docs="https://docs.hetzner.cloud/",
        pattern="[A-Za-z0-9]{64}",
        find=Find.ASSIGNED,
        keywords=(
            "hetzner",
            "hcloud",
        ),
        named=(
            "token",
            "key",
        ),
        entropy=4.0,
        rank=30,
        positives=("HCLOUD_TOKEN=«{b62:20}4{b62:43}»",),
    ),
)
