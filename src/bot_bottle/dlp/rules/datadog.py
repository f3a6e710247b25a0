"""Credentials of Datadog."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="datadog-prefixed-key",
        vendor="Datadog",
        docs="https://docs.datadoghq.com/account_management/api-app-keys/",
        pattern="dd(?:pat|apk|app|sat|api)_[A-Za-z0-9_-]{30,}",
        prefix="ddpat_",
        positives=("«ddpat_{b62:44}»",),
        known="prefixes of newer keys",
    ),
    Rule(
        name="datadog-key",
        vendor="Datadog",
        docs="https://docs.datadoghq.com/account_management/api-app-keys/",
        pattern="(?:[0-9a-f]{32}|[0-9a-f]{40})",
        find=Find.ASSIGNED,
        keywords=(
            "datadog",
            "dd_",
            "dd-",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=(
            "DD_API_KEY=«{hex:32}»",
            'datadog:\n  app_key: "«{hex:40}»"\n',
            "DD-APPLICATION-KEY: «{hex:40}»",
        ),
    ),
)
