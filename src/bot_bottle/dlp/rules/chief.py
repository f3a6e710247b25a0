"""Credentials of Chief Tools."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="chief-tools-token",
        vendor="Chief Tools",
        docs="https://docs.chief.app/",
        pattern="ctp_[A-Za-z0-9]{36}",
        end="[A-Za-z0-9_]",
        positives=("«ctp_{b62:36}»",),
    ),
)
