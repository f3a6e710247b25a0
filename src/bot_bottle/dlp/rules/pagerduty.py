"""Credentials of PagerDuty."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="pagerduty-key",
        vendor="PagerDuty",
        docs="https://support.pagerduty.com/main/docs/api-access-keys",
        pattern="[A-Za-z0-9_+-]{20}",
        find=Find.ASSIGNED,
        keywords=(
            "pagerduty",
            "pdt",
        ),
        named=(
            "key",
            "token",
        ),
        entropy=2.8,
        rank=30,
        positives=(
            "PAGERDUTY_API_KEY=«u+{b62:10}5{b62:7}»",
            "PAGERDUTY_TOKEN=«y_{b62:11}6{b62:6}»",
        ),
    ),
)
