"""Credentials of Together AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="together-key",
        vendor="Together AI",
        docs="https://docs.together.ai/docs/quickstart",
        pattern="tgp_v1_[A-Za-z0-9_-]{40,}",
        edge=Edge.FREE,
        positives=("«tgp_v1_{b64u:43}»",),
    ),
    Rule(
        name="together-legacy-key",
        vendor="Together AI",
        docs="https://docs.together.ai/docs/quickstart",
        pattern="[0-9a-f]{64}",
        find=Find.ASSIGNED,
        keywords=("together",),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("TOGETHER_API_KEY=«{hex:64}»",),
    ),
)
