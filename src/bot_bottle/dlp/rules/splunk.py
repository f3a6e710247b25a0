"""Credentials of Splunk."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="splunk-hec-token",
        vendor="Splunk",
        docs="https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in/9.4/get-data-with-http-event-collector/set-up-and-use-http-event-collector-in-splunk-web",
        pattern="[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        find=Find.ASSIGNED,
        keywords=("splunk",),
        named=(
            "token",
            "auth",
        ),
        rank=30,
        positives=(
            "SPLUNK_HEC_TOKEN=«{uuid}»",
            "Authorization: Splunk «{uuid}»",
        ),
    ),
)
