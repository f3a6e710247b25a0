"""Credentials of Microsoft Teams."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="teams-webhook",
        vendor="Microsoft Teams",
        docs="https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",
        pattern=r"webhook\.office\.com(?:\\?/)webhookb2(?:\\?/)[0-9a-f-]{36}@[0-9a-f-]{36}(?:\\?/)IncomingWebhook(?:\\?/)[0-9a-f]{32}(?:\\?/)[0-9a-f-]{36}",
        edge=Edge.FREE,
        random=False,
        positives=(
            "https://acme.«webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{hex:32}/{uuid}»",
        ),
    ),
)
