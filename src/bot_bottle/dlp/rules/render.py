"""Credentials of Render."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="render-key",
        vendor="Render",
        docs="https://render.com/docs/api",
        pattern="rnd_[A-Za-z0-9]{28,32}",
        end="[A-Za-z0-9_]",
        positives=("«rnd_{b62:28}»",),
    ),
)
