"""Credentials of Vultr."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="vultr-key",
        vendor="Vultr",
        docs="https://www.vultr.com/api/",
        pattern="[A-Z0-9]{36}",
        find=Find.ASSIGNED,
        keywords=("vultr",),
        named=(
            "token",
            "key",
        ),
        entropy=3.8,
        rank=30,
        positives=("VULTR_API_KEY=«{B36:18}4{B36:17}»",),
    ),
)
