"""Credentials of MaxMind."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="maxmind-key",
        vendor="MaxMind",
        docs="https://support.maxmind.com/hc/en-us/articles/4407111582235-Generate-a-License-Key",
        pattern="[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
        find=Find.ASSIGNED,
        keywords=(
            "maxmind",
            "geoip",
            "_mmk",
            "license",
        ),
        rank=30,
        positives=("MAXMIND_LICENSE_KEY=«{b62:6}_{b62:14}4{b62:14}_mmk»",),
    ),
)
