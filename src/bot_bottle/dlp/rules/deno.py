"""Credentials of Deno Deploy."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="deno-token",
        vendor="Deno Deploy",
        docs="https://docs.deno.com/deploy/",
        pattern="(?:ddp|ddo)_[A-Za-z0-9]{36}",
        prefix="ddp_",
        positives=("DENO_DEPLOY_TOKEN=«ddp_{b62:36}»",),
    ),
)
