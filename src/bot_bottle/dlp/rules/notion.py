"""Credentials of Notion."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="notion-token",
        vendor="Notion",
        docs="https://developers.notion.com/docs/authorization",
        pattern="ntn_[A-Za-z0-9]{40,50}",
        positives=("NOTION_TOKEN=«ntn_{dig:11}{b62:35}»",),
    ),
    Rule(
        name="notion-legacy-token",
        vendor="Notion",
        docs="https://developers.notion.com/docs/authorization",
        pattern="secret_[A-Za-z0-9]{43}",
        end="[A-Za-z0-9_]",
        positives=("«secret_{b62:43}»",),
    ),
)
