"""Credentials of HashiCorp."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="vault-token",
        vendor="HashiCorp",
        docs="https://developer.hashicorp.com/vault/docs/concepts/tokens",
        pattern=r"hv[sbr]\.[A-Za-z0-9_-]{24,}",
        positives=(
            "VAULT_TOKEN=«hvs.{b64u:90}»",
            "«hvb.{b64u:140}»",
        ),
        negatives=("hvs.your-vault-token-goes-in-here",),
    ),
    Rule(
        name="vault-legacy-token",
        vendor="HashiCorp",
        docs="https://developer.hashicorp.com/vault/docs/concepts/tokens",
        pattern=r"s\.[A-Za-z0-9]{24}",
        find=Find.ASSIGNED,
        prefix="s.",
        keywords=("vault",),
        named=("token",),
        entropy=3.4,
        rank=30,
        positives=("VAULT_TOKEN=«s.{b62:20}3{b62:3}»",),
    ),
    Rule(
        name="terraform-cloud-token",
        vendor="HashiCorp",
        docs="https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
        pattern=r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}",
        edge=Edge.FREE,
        positives=('token = "«{b62:14}.atlasv1.{b62:67}»"',),
    ),
    Rule(
        name="consul-token",
        vendor="HashiCorp",
        docs="https://developer.hashicorp.com/consul/docs/secure/acl/token",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=(
            "consul",
            "nomad",
        ),
        named=(
            "token",
            "secret",
        ),
        rank=30,
        positives=("CONSUL_HTTP_TOKEN=«{uuid}»",),
    ),
)
