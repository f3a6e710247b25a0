"""Credentials of Figma."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="figma-token",
        vendor="Figma",
        docs="https://www.figma.com/developers/api",
        pattern="fig[doruh]h?_[A-Za-z0-9_-]{38,}",
        prefix="figd_",
        positives=("X-Figma-Token: «figd_{b64u:40}»",),
    ),
)
