"""Credentials of WireGuard."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="wireguard-private-key",
        vendor="WireGuard",
        docs="https://www.wireguard.com/quickstart/",
        pattern=r"(?:PrivateKey|PresharedKey)\s{0,3}=\s{0,3}([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)",
        group=1,
        edge=Edge.FREE,
        positives=("[Interface]\nPrivateKey = «{b64:42}E=»\n",),
    ),
)
