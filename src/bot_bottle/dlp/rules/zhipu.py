"""Credentials of Zhipu AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="zhipu-key",
        vendor="Zhipu AI",
        docs="https://docs.z.ai/guides/overview/quick-start",
        pattern=r"[0-9a-f]{32}\.[A-Za-z0-9]{16}",
        find=Find.ASSIGNED,
        keywords=(
            "zhipu",
            "bigmodel",
            "glm",
            "z.ai",
            "zai",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("ZHIPUAI_API_KEY=«{hex:32}.{b62:16}»",),
        known="32 hexadecimal digits, a dot, 16 letters and digits",
    ),
)
