"""Credentials of DeepSeek."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="deepseek-key",
        vendor="DeepSeek",
        docs="https://api-docs.deepseek.com/",
        pattern="sk-[0-9a-f]{32}",
        end="[A-Za-z0-9_-]",
        keywords=("deepseek",),
        rank=45,
        positives=("DEEPSEEK_API_KEY=«sk-{hex:32}»",),
        known="sk- and 32 hexadecimal digits",
    ),
)
