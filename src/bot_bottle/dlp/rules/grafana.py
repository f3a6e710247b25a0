"""Credentials of Grafana."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="grafana-service-account-token",
        vendor="Grafana",
        docs="https://grafana.com/docs/grafana/latest/administration/service-accounts/",
        pattern="glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}",
        edge=Edge.FREE,
        positives=("«glsa_{b62:32}_{hex:8}»",),
    ),
    Rule(
        name="grafana-cloud-token",
        vendor="Grafana",
        docs="https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/",
        pattern="glc_eyJ[A-Za-z0-9+/]{60,}={0,2}",
        edge=Edge.FREE,
        rank=70,
        positives=("«glc_eyJ{b64:120}»",),
    ),
    Rule(
        name="grafana-api-key",
        vendor="Grafana",
        docs="https://grafana.com/docs/grafana/latest/administration/service-accounts/",
        pattern="eyJrIjoi[A-Za-z0-9+/]{60,}={0,2}",
        edge=Edge.WORD,
        rank=60,
        positives=("«eyJrIjoi{b64:84}»",),
    ),
)
