"""Credentials of ReadMe."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="readme-key",
        vendor="ReadMe",
        docs="https://docs.readme.com/main/reference/intro/authentication",
        pattern="rdme_[a-z0-9]{60,80}",
        positives=("«rdme_{b36:70}»",),
    ),
)
