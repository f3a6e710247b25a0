"""Credentials of Slack."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="slack-token",
        vendor="Slack",
        docs="https://docs.slack.dev/authentication/tokens",
        pattern="xox[abposr]-(?:[0-9]{1,2}-)?[0-9]{8,14}-[A-Za-z0-9-]{16,}",
        prefix="xoxb-",
        edge=Edge.WORD,
        positives=(
            "«xoxb-{dig:12}-{dig:13}-{b62:24}»",
            "«xoxp-{dig:12}-{dig:12}-{dig:12}-{hex:32}»",
            "«xoxa-2-{dig:12}-{dig:12}-{dig:12}-{hex:32}»",
        ),
        negatives=("xoxb-123456789012-123456789012-xxxxxxxxxxxxxxxxxxxxxxxx",),
    ),
    Rule(
        name="slack-app-token",
        vendor="Slack",
        docs="https://docs.slack.dev/authentication/tokens",
        pattern="xapp-[0-9]-[A-Z0-9]{8,16}-[0-9]{10,14}-[0-9a-f]{64}",
        edge=Edge.WORD,
        positives=("«xapp-1-A{B36:10}-{dig:13}-{hex:64}»",),
    ),
    Rule(
        name="slack-rotating-token",
        vendor="Slack",
        docs="https://docs.slack.dev/authentication/tokens",
        pattern=r"xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{100,}",
        prefix="xoxe-1-",
        edge=Edge.WORD,
        rank=60,
        positives=(
            "«xoxe.xoxp-1-{b62:163}»",
            "«xoxe-1-{b62:146}»",
        ),
    ),
    Rule(
        name="slack-browser-token",
        vendor="Slack",
        docs="https://docs.slack.dev/authentication/tokens",
        pattern="xox[cd]-[A-Za-z0-9%/+=-]{40,}",
        prefix="xoxc-",
        edge=Edge.WORD,
        positives=(
            "«xoxc-{dig:12}-{dig:13}-{dig:13}-{hex:64}»",
            "d=«xoxd-{b64:120}»",
        ),
    ),
    Rule(
        name="slack-webhook",
        vendor="Slack",
        docs="https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
        pattern=r"hooks\.slack\.com(?:\\?/)(?:services|workflows|triggers)(?:\\?/)[A-Z0-9]{8,14}(?:\\?/)(?:[A-Z0-9]{8,14}|[0-9]{10,20})(?:\\?/)[A-Za-z0-9/]{20,50}",
        prefix="hooks.slack.com/services/",
        edge=Edge.FREE,
        positives=("https://«hooks.slack.com/services/T{B36:10}/B{B36:10}/{b62:24}»",),
        negatives=("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",),
    ),
)
