"""Credentials of JSON Web Keys."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="jwk-private-part",
        vendor="JSON Web Keys",
        docs="https://www.rfc-editor.org/rfc/rfc7517",
        pattern=r'\\?"d\\?"\s{0,2}:\s{0,2}\\?"([A-Za-z0-9_-]{40,})',
        group=1,
        edge=Edge.FREE,
        keywords=("kty",),
        positives=('{lb}"kty":"EC","crv":"P-256","d":"«{b64u:43}»","x":"{b64u:43}"{rb}',),
        negatives=('{lb}"d":"{b64u:43}"{rb}',),
    ),
)
