"""Credentials of New Relic."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="newrelic-key",
        vendor="New Relic",
        docs="https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
        pattern="NR(?:AK|AA|II|IQ|SP|BR|RA|RW|AL|JS)-[A-Za-z0-9_-]{19,48}",
        prefix="NRAK-",
        positives=(
            "NEW_RELIC_API_KEY=«NRAK-{B36:27}»",
            "«NRIQ-{b64u:32}»",
        ),
    ),
    Rule(
        name="newrelic-license-key",
        vendor="New Relic",
        docs="https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
        pattern="(?:eu01xx|[a-f0-9]{6})[0-9a-f]{30}NRAL",
        positives=("NEW_RELIC_LICENSE_KEY=«{hex:36}NRAL»",),
    ),
)
