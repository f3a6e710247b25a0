"""Credentials of Discord."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="discord-bot-token",
        vendor="Discord",
        docs="https://discord.com/developers/docs/reference",
        pattern=r"[MNO][DTjz][AEIMQUYcgk][w-z0-5](?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){4,5}[A-Za-z0-9_-]{0,3}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
        edge=Edge.TOKEN,
        positives=("DISCORD_TOKEN=«MTA4NzY1NDMyMTA5ODc2NTQz.{b64u:6}.{b64u:38}»",),
        known="the first part is the base64 of the digits of a snowflake",
    ),
    Rule(
        name="discord-webhook",
        vendor="Discord",
        docs="https://discord.com/developers/docs/resources/webhook",
        pattern=r"discord(?:app)?\.com(?:\\?/)api(?:(?:\\?/)v[0-9]{1,2})?(?:\\?/)webhooks(?:\\?/)[0-9]{17,20}(?:\\?/)[A-Za-z0-9_-]{60,80}",
        prefix="discord.com/api/webhooks/",
        edge=Edge.FREE,
        positives=("https://«discord.com/api/webhooks/{dig:18}/{b64u:68}»",),
    ),
    Rule(
        name="discord-client-secret",
        vendor="Discord",
        docs="https://discord.com/developers/docs/reference",
        pattern="[A-Za-z0-9_-]{32}",
        find=Find.ASSIGNED,
        keywords=("discord",),
        named=("secret",),
        entropy=3.6,
        rank=30,
        positives=("DISCORD_CLIENT_SECRET=«{b64u:16}3{b64u:15}»",),
    ),
)
