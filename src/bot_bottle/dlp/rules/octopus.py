"""Credentials of Octopus Deploy."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="octopus-key",
        vendor="Octopus Deploy",
        docs="https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key",
        pattern="API-[A-Z0-9]{25,32}",
        end="[A-Za-z0-9_-]",
        positives=("«API-{B36:29}»",),
    ),
)
