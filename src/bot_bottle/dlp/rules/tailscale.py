"""Credentials of Tailscale."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="tailscale-key",
        vendor="Tailscale",
        docs="https://tailscale.com/kb/1101/api",
        pattern="tskey-(?:api|auth|client|scim|webhook)-[A-Za-z0-9]{10,24}-[A-Za-z0-9]{20,40}",
        prefix="tskey-auth-",
        edge=Edge.FREE,
        positives=("«tskey-auth-{b62:17}-{b62:32}»",),
    ),
)
