"""Credentials of OVHcloud."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="ovh-secret",
        vendor="OVHcloud",
        docs="https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api",
        pattern="(?:[A-Za-z0-9]{32}|[0-9a-f]{32})",
        find=Find.ASSIGNED,
        keywords=("ovh",),
        named=(
            "secret",
            "consumer",
        ),
        rank=30,
        positives=("OVH_APPLICATION_SECRET=«{hex:32}»",),
    ),
)
