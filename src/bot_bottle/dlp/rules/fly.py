"""Credentials of Fly.io."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="fly-token",
        vendor="Fly.io",
        docs="https://fly.io/docs/security/tokens/",
        pattern="fm[12][ar]?_[A-Za-z0-9+/]{80,}={0,3}",
        reach=2048,
        positives=('FLY_API_TOKEN="FlyV1 «fm2_{b64:400}»"',),
    ),
    Rule(
        name="fly-legacy-token",
        vendor="Fly.io",
        docs="https://fly.io/docs/security/tokens/",
        pattern="fo1_[A-Za-z0-9_-]{43}",
        positives=("«fo1_{b64u:43}»",),
    ),
)
