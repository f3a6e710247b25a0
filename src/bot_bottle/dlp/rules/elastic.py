"""Credentials of Elastic."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="elastic-cloud-key",
        vendor="Elastic",
        docs="https://www.elastic.co/docs/deploy-manage/api-keys/elasticsearch-api-keys",
        pattern="essu_[A-Za-z0-9+/=_-]{60,}",
        positives=("«essu_{b64:100}»",),
    ),
    Rule(
        name="elastic-key",
        vendor="Elastic",
        docs="https://www.elastic.co/docs/deploy-manage/api-keys/elasticsearch-api-keys",
        pattern="[A-Za-z0-9_-]{40,64}={0,2}",
        find=Find.ASSIGNED,
        keywords=("elastic",),
        named=(
            "key",
            "token",
            "auth",
        ),
        entropy=3.8,
        rank=30,
        positives=("ELASTIC_API_KEY=«{b62:20}4{b62:37}==»",),
    ),
)
