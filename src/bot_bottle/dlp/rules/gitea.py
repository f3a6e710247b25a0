"""Credentials of Gitea and Forgejo."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="gitea-token",
        vendor="Gitea and Forgejo",
        docs="https://docs.gitea.com/development/api-usage",
        pattern="[0-9a-f]{40}",
        find=Find.ASSIGNED,
        keywords=(
            "gitea",
            "forgejo",
            "codeberg",
        ),
        named=(
            "key",
            "token",
            "auth",
        ),
        rank=30,
        positives=("GITEA_TOKEN=«{hex:40}»",),
    ),
)
