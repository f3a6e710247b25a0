"""Credentials of 1Password."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="onepassword-service-account-token",
        vendor="1Password",
        docs="https://developer.1password.com/docs/service-accounts/security/",
        pattern="ops_eyJ[A-Za-z0-9_=+/-]{100,}",
        edge=Edge.FREE,
        rank=70,
        reach=2048,
        positives=("OP_SERVICE_ACCOUNT_TOKEN=«ops_eyJ{b64u:600}»",),
    ),
    Rule(
        name="onepassword-secret-key",
        vendor="1Password",
        docs="https://support.1password.com/secret-key-security/",
        pattern="A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
        positives=("«A3-{B36:6}-{B36:6}-{B36:5}-{B36:5}-{B36:5}-{B36:5}»",),
        negatives=("A3-XXXXXX-XXXXXX-XXXXX-XXXXX-XXXXX-XXXXX",),
    ),
)
