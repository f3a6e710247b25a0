"""Credentials of Anthropic."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="anthropic-key",
        vendor="Anthropic",
        docs="https://platform.claude.com/docs/en/api/overview",
        pattern="sk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{60,}",
        edge=Edge.FREE,
        rank=70,
        positives=(
            "ANTHROPIC_API_KEY=«sk-ant-api03-{b64u:93}AA»",
            '"x-api-key": "«sk-ant-admin01-{b64u:93}AA»"',
            "token «sk-ant-oat01-{b64u:93}AA»\n",
            "refresh «sk-ant-ort01-{b64u:93}AA»",
            "sessionKey=«sk-ant-sid01-{b64u:86}AA»;",
        ),
        negatives=(
            "sk-ant-api03-your-key-goes-here-your-key-goes-here-your-key-goes-here",
            "sk-ant-api03-...",
            "sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
    ),
)
