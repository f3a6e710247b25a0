"""Credentials of Alibaba Model Studio."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="dashscope-key",
        vendor="Alibaba Model Studio",
        docs="https://www.alibabacloud.com/help/en/model-studio/get-api-key",
        pattern="sk-[0-9a-f]{32}",
        end="[A-Za-z0-9_-]",
        keywords=(
            "dashscope",
            "qwen",
            "bailian",
        ),
        rank=44,
        positives=("DASHSCOPE_API_KEY=«sk-{hex:32}»",),
        known="sk- and 32 hexadecimal digits",
    ),
)
