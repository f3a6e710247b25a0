"""Credentials of Rancher."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="rancher-token",
        vendor="Rancher",
        docs="https://ranchermanager.docs.rancher.com/api/api-tokens",
        pattern="(?:token|kubeconfig)-[a-z0-9.-]{5,40}:[a-z0-9]{54}",
        prefix="token-",
        positives=("Authorization: Bearer «token-{b36:5}:{b36:54}»",),
    ),
)
