"""Credentials of RapidAPI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="rapidapi-key",
        vendor="RapidAPI",
        docs="https://docs.rapidapi.com/docs/keys",
        pattern="[0-9a-f]{10}msh[0-9a-f]{15}p1[0-9a-f]{5}jsn[0-9a-f]{12}",
        random=False,
        positives=("X-RapidAPI-Key: «{hex:10}msh{hex:15}p1{hex:5}jsn{hex:12}»",),
    ),
)
