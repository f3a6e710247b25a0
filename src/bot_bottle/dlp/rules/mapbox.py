"""Credentials of Mapbox."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="mapbox-secret-token",
        vendor="Mapbox",
        docs="https://docs.mapbox.com/help/dive-deeper/access-tokens/",
        pattern=r"[st]k\.eyJ1Ijoi[A-Za-z0-9_-]{20,200}\.[A-Za-z0-9_-]{20,24}",
        rank=60,
        positives=("«sk.eyJ1Ijoi{b64u:60}.{b64u:22}»",),
    ),
)
