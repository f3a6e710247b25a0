"""Credentials of Pydantic Logfire."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="logfire-token",
        vendor="Pydantic Logfire",
        docs="https://logfire.pydantic.dev/docs/how-to-guides/create-write-tokens/",
        pattern="pylf_v[0-9]_[a-z]{2,10}_[A-Za-z0-9]{40,50}",
        edge=Edge.FREE,
        positives=("«pylf_v1_us_{b62:43}»",),
    ),
)
