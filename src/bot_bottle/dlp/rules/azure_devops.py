"""Credentials of Azure DevOps."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="azure-devops-token",
        vendor="Azure DevOps",
        docs="https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate",
        pattern="[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        positives=("AZURE_DEVOPS_EXT_PAT=«{b62:76}AZDO{b62:4}»",),
    ),
    Rule(
        name="azure-devops-legacy-token",
        vendor="Azure DevOps",
        docs="https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate",
        pattern="[a-z2-7]{52}",
        find=Find.ASSIGNED,
        keywords=(
            "azure",
            "devops",
            "visualstudio",
            "vsts",
            "system_access",
            "tfs",
        ),
        named=(
            "token",
            "pat",
            "key",
        ),
        entropy=3.6,
        rank=30,
        positives=("AZURE_DEVOPS_EXT_PAT_TOKEN=«{low:10}2{low:14}3{low:26}»",),
        known="52 characters of base32 in lower case",
    ),
)
