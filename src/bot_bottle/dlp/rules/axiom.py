"""Credentials of Axiom."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="axiom-token",
        vendor="Axiom",
        docs="https://axiom.co/docs/reference/tokens",
        pattern="xa[ap]t-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        prefix="xaat-",
        positives=("«xaat-{uuid}»",),
    ),
)
