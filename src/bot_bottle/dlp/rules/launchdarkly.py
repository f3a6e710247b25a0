"""Credentials of LaunchDarkly."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="launchdarkly-key",
        vendor="LaunchDarkly",
        docs="https://launchdarkly.com/docs/home/account/api",
        pattern="(?:api|sdk|mob|rel)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        prefix="api-",
        random=False,
        positives=(
            "LD_SDK_KEY=«sdk-{uuid}»",
            "«api-{uuid}»",
        ),
    ),
)
