"""Credentials of Harness."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="harness-token",
        vendor="Harness",
        docs="https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/",
        pattern=r"(?:pat|sat)\.[A-Za-z0-9_-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}",
        prefix="pat.",
        positives=("«pat.{b64u:22}.{hex:24}.{b62:20}»",),
    ),
)
