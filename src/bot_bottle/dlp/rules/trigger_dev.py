"""Credentials of Trigger.dev."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="trigger-dev-key",
        vendor="Trigger.dev",
        docs="https://trigger.dev/docs/apikeys",
        pattern="tr_(?:dev|prod|stg|pat|preview)_[A-Za-z0-9]{20,}",
        prefix="tr_prod_",
        positives=("TRIGGER_SECRET_KEY=«tr_prod_{b62:20}»",),
    ),
)
