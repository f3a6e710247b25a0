"""Made-up credentials of 40 kinds, and a program that puts them into commits in every place that a push has."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.sample import make

KINDS = {
    "age-secret-key": "age-secret-key",
    "atlassian-token": "atlassian-api-token",
    "aws-access-key-id": "aws-access-token",
    "azure-client-secret": "azure-ad-client-secret",
    "brevo-key": "sendinblue-api-token",
    "clojars-token": "clojars-api-token",
    "cloudflare-origin-ca-key": "cloudflare-origin-ca-key",
    "databricks-token": "databricks-api-token",
    "digitalocean-token": "digitalocean-pat",
    "duffel-token": "duffel-api-token",
    "dynatrace-token": "dynatrace-api-token",
    "easypost-key": "easypost-api-token",
    "flutterwave-key": "flutterwave-secret-key",
    "frameio-token": "frameio-api-token",
    "github-fine-grained-token": "github-fine-grained-pat",
    "github-token": "github-pat",
    "gitlab-token": "gitlab-pat",
    "google-api-key": "gcp-api-key",
    "grafana-cloud-token": "grafana-cloud-api-token",
    "grafana-service-account-token": "grafana-service-account-token",
    "harness-token": "harness-api-key",
    "json-web-token": "jwt",
    "linear-key": "linear-api-key",
    "openshift-token": "openshift-user-token",
    "npm-token": "npm-access-token",
    "openai-key": "openai-api-key",
    "perplexity-key": "perplexity-api-key",
    "planetscale-token": "planetscale-api-token",
    "postman-key": "postman-api-token",
    "prefect-key": "prefect-api-token",
    "pulumi-token": "pulumi-api-token",
    "pypi-token": "pypi-upload-token",
    "rubygems-key": "rubygems-api-token",
    "scalingo-token": "scalingo-api-token",
    "sendgrid-key": "sendgrid-api-token",
    "shippo-token": "shippo-api-token",
    "shopify-token": "shopify-access-token",
    "slack-token": "slack-bot-token",
    "stripe-key": "stripe-access-token",
    "vault-token": "vault-service-token",
}
"""our rule, and the one of gitleaks' documented list that finds the same"""
RULES = {rule.name: rule for rule in ALL_RULES}


@dataclass(frozen=True)
class Kind:
    rule: str
    gitleaks: str
    secret: str


def kinds() -> list[Kind]:
    """The same on every run; none has a slash, so that each can be a file's name."""
    return [Kind(rule, theirs, _sample(rule)) for rule, theirs in KINDS.items()]


def _sample(rule: str) -> str:
    source = random.Random(rule)
    for recipe in RULES[rule].positives * 20:
        secret = make(recipe, source).secret.decode()
        if "/" not in secret and "\n" not in secret and len(secret) < 240:
            return secret
    raise AssertionError(f"{rule}: no sample that is a name")


MAKE = Path(__file__).with_name("git_commits.py").read_text()
"""Run in a clone, with a place and perhaps ``allow``; the secrets by rule come on standard input."""
