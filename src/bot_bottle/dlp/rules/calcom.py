"""Credentials of Cal.com."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="calcom-key",
        vendor="Cal.com",
        docs="https://cal.com/docs/api-reference/v2/introduction",
        pattern="cal_(?:live|test)_[0-9a-f]{32}",
        prefix="cal_live_",
        positives=("«cal_live_{hex:32}»",),
    ),
)
