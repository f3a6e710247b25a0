"""Credentials of Infisical."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="infisical-token",
        vendor="Infisical",
        docs="https://infisical.com/docs/documentation/platform/token",
        pattern=r"st\.[0-9a-f-]{24,36}\.[0-9a-f]{32}\.[0-9a-f]{32}",
        positives=("INFISICAL_TOKEN=«st.{hex:24}.{hex:32}.{hex:32}»",),
    ),
)
