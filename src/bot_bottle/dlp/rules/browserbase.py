"""Credentials of Browserbase."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="browserbase-key",
        vendor="Browserbase",
        docs="https://docs.browserbase.com/reference/introduction",
        pattern="bb_(?:live|test)_[A-Za-z0-9_-]{27}",
        prefix="bb_live_",
        positives=("«bb_live_{b64u:27}»",),
    ),
)
