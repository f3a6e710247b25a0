"""Credentials of Checkly."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="checkly-key",
        vendor="Checkly",
        docs="https://www.checklyhq.com/docs/accounts-and-users/creating-api-key/",
        pattern="cu_[0-9a-f]{32}",
        end="[A-Za-z0-9]",
        positives=("«cu_{hex:32}»",),
    ),
)
