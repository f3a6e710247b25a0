"""Credentials of Jina AI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="jina-key",
        vendor="Jina AI",
        docs="https://jina.ai/embeddings/",
        pattern="jina_[A-Za-z0-9_-]{56,64}",
        positives=("«jina_{hex:32}{b64u:28}»",),
    ),
)
