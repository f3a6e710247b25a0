"""Credentials of LangChain."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="langsmith-key",
        vendor="LangChain",
        docs="https://docs.langchain.com/langsmith/create-account-api-key",
        pattern="lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
        edge=Edge.FREE,
        positives=("«lsv2_pt_{hex:32}_{hex:10}»",),
    ),
)
