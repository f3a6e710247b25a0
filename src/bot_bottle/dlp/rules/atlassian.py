"""Credentials of Atlassian."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="atlassian-token",
        vendor="Atlassian",
        docs="https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
        pattern="AT[AC]TT3[A-Za-z0-9_=-]{100,}",
        edge=Edge.FREE,
        positives=(
            "JIRA_API_TOKEN=«ATATT3xFfGF0{b64u:171}={HEX:8}»",
            "«ATCTT3xFfGF0{b64u:170}={HEX:8}»",
        ),
    ),
    Rule(
        name="atlassian-legacy-token",
        vendor="Atlassian",
        docs="https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
        pattern="[A-Za-z0-9]{24}",
        find=Find.ASSIGNED,
        keywords=(
            "jira",
            "atlassian",
            "confluence",
        ),
        named=(
            "token",
            "key",
            "pass",
        ),
        entropy=3.5,
        rank=30,
        positives=("JIRA_API_TOKEN=«{b62:12}7{b62:11}»",),
    ),
)
