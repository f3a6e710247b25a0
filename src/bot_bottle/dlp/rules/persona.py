"""Credentials of Persona."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="persona-key",
        vendor="Persona",
        docs="https://docs.withpersona.com/api-keys",
        pattern="persona_(?:production|sandbox)_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        random=False,
        positives=("«persona_production_{uuid}»",),
    ),
)
