"""Credentials of LocalStack."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="localstack-token",
        vendor="LocalStack",
        docs="https://docs.localstack.cloud/aws/getting-started/auth-token/",
        pattern="ls-[A-Za-z0-9]{8}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{12}",
        positives=("LOCALSTACK_AUTH_TOKEN=«ls-{b62:8}-{b62:4}-{b62:4}-{b62:4}-{b62:12}»",),
    ),
)
