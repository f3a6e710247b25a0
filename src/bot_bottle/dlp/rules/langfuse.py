"""Credentials of Langfuse."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="langfuse-secret-key",
        vendor="Langfuse",
        docs="https://langfuse.com/docs/api-and-data-platform/features/public-api",
        pattern="sk-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        rank=70,
        positives=("LANGFUSE_SECRET_KEY=«sk-lf-{uuid}»",),
    ),
)
