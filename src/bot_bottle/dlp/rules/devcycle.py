"""Credentials of DevCycle."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="devcycle-key",
        vendor="DevCycle",
        docs="https://docs.devcycle.com/essentials/keys/",
        pattern="dvc_server_[A-Za-z0-9_]{20,}",
        positives=("«dvc_server_{hex:32}_{hex:6}»",),
    ),
)
