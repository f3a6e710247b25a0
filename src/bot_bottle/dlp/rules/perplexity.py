"""Credentials of Perplexity."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="perplexity-key",
        vendor="Perplexity",
        docs="https://docs.perplexity.ai/getting-started/quickstart",
        pattern="pplx-[A-Za-z0-9]{40,64}",
        positives=("«pplx-{b62:48}»",),
    ),
)
