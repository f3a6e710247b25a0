"""Credentials of secret-token URIs."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="secret-token-uri",
        vendor="secret-token URIs",
        docs="https://www.rfc-editor.org/rfc/rfc8959",
        pattern="secret-token:[A-Za-z0-9._~%_-]{20,}",
        edge=Edge.WORD,
        positives=("«secret-token:mercury_production_wma_{b62:40}_yrucrem»",),
    ),
)
