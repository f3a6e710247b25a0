"""Credentials of Pulumi."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="pulumi-token",
        vendor="Pulumi",
        docs="https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",
        pattern="pul-[0-9a-f]{40}",
        positives=("PULUMI_ACCESS_TOKEN=«pul-{hex:40}»",),
    ),
)
