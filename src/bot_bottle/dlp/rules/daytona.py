"""Credentials of Daytona."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="daytona-key",
        vendor="Daytona",
        docs="https://www.daytona.io/docs/en/api-keys/",
        pattern="dtn_[0-9a-f]{64}",
        positives=("«dtn_{hex:64}»",),
    ),
)
