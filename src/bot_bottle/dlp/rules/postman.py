"""Credentials of Postman."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="postman-key",
        vendor="Postman",
        docs="https://learning.postman.com/docs/developer/postman-api/authentication/",
        pattern="PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
        edge=Edge.FREE,
        positives=("«PMAK-{hex:24}-{hex:34}»",),
    ),
)
