"""Credentials of Meta."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="facebook-access-token",
        vendor="Meta",
        docs="https://developers.facebook.com/docs/facebook-login/guides/access-tokens",
        pattern="EAA[A-Za-z0-9]{80,}",
        edge=Edge.ALONE,
        end="[+/=_-]",
        entropy=4.6,
        positives=("FB_TOKEN=«EAAG{b62:180}»",),
    ),
)
