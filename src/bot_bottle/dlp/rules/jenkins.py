"""Credentials of Jenkins."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="jenkins-token",
        vendor="Jenkins",
        docs="https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/",
        pattern="11[0-9a-f]{32}",
        find=Find.ASSIGNED,
        prefix="11",
        keywords=("jenkins",),
        named=(
            "token",
            "pass",
            "key",
        ),
        rank=30,
        positives=("JENKINS_API_TOKEN=«11{hex:32}»",),
    ),
)
