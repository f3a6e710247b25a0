"""Credentials of Inngest."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="inngest-signing-key",
        vendor="Inngest",
        docs="https://www.inngest.com/docs/platform/signing-keys",
        pattern="signkey-[a-z]{2,10}-[0-9a-f]{32,64}",
        random=False,
        positives=("«signkey-prod-{hex:64}»",),
    ),
)
