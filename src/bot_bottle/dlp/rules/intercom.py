"""Credentials of Intercom."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="intercom-token",
        vendor="Intercom",
        docs="https://developers.intercom.com/docs/build-an-integration/learn-more/authentication",
        pattern="dG9r[A-Za-z0-9+/]{50,60}={0,2}",
        edge=Edge.ALONE,
        end="[A-Za-z0-9+/]",
        random=False,
        positives=("«dG9rOm{b64:54}==»",),
        known="the base64 of tok: and what follows",
    ),
)
