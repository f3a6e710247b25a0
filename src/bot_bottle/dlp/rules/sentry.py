"""Credentials of Sentry."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="sentry-org-token",
        vendor="Sentry",
        docs="https://docs.sentry.io/account/auth-tokens/",
        pattern="sntrys_eyJ[A-Za-z0-9+/=_]{80,}",
        edge=Edge.FREE,
        rank=70,
        positives=("«sntrys_eyJ{b64:160}=_{b64:43}»",),
    ),
    Rule(
        name="sentry-user-token",
        vendor="Sentry",
        docs="https://docs.sentry.io/account/auth-tokens/",
        pattern="sntry[ua]_[0-9a-f]{64}",
        edge=Edge.FREE,
        positives=("SENTRY_AUTH_TOKEN=«sntryu_{hex:64}»",),
    ),
    Rule(
        name="sentry-legacy-token",
        vendor="Sentry",
        docs="https://docs.sentry.io/account/auth-tokens/",
        pattern="[0-9a-f]{64}",
        find=Find.ASSIGNED,
        keywords=("sentry",),
        named=(
            "token",
            "auth",
        ),
        rank=30,
        positives=("SENTRY_AUTH_TOKEN=«{hex:64}»",),
    ),
)
