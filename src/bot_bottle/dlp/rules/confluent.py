"""Credentials of Confluent."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="confluent-secret",
        vendor="Confluent",
        docs="https://docs.confluent.io/cloud/current/security/authenticate/workload-identities/service-accounts/api-keys/overview.html",
        pattern="cflt[A-Za-z0-9+/]{60}",
        positives=("«cflt{b64:60}»",),
    ),
    Rule(
        name="confluent-legacy-secret",
        vendor="Confluent",
        docs="https://docs.confluent.io/cloud/current/security/authenticate/workload-identities/service-accounts/api-keys/overview.html",
        pattern="[A-Za-z0-9+/]{64}",
        find=Find.ASSIGNED,
        keywords=(
            "confluent",
            "sasl",
            "kafka",
        ),
        named=(
            "secret",
            "password",
            "key",
        ),
        entropy=4.2,
        rank=30,
        positives=("CONFLUENT_API_SECRET=«{b64:20}4{b64:43}»",),
    ),
)
