"""Credentials of LinkedIn."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="linkedin-client-secret",
        vendor="LinkedIn",
        docs="https://learn.microsoft.com/en-us/linkedin/shared/authentication/authentication",
        pattern=r"WPL_AP1\.[A-Za-z0-9]{16}\.[A-Za-z0-9+/=]{8,12}",
        edge=Edge.FREE,
        positives=("«WPL_AP1.{b62:16}.{b64:6}==»",),
    ),
)
