"""Credentials of Modal."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="modal-token",
        vendor="Modal",
        docs="https://modal.com/docs/reference/modal.config",
        pattern="a[ks]-[A-Za-z0-9]{22}",
        prefix="as-",
        end="[A-Za-z0-9_-]",
        keywords=("modal",),
        positives=("MODAL_TOKEN_SECRET=«as-{b62:22}»",),
    ),
)
