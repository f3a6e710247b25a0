"""Credentials of Retool."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="retool-token",
        vendor="Retool",
        docs="https://docs.retool.com/org-users/guides/retool-api/authentication",
        pattern="retool_[A-Za-z0-9]{26,}",
        positives=("«retool_{b36:26}»",),
    ),
)
