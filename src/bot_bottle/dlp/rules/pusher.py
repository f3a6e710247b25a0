"""Credentials of Pusher."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="pusher-secret",
        vendor="Pusher",
        docs="https://pusher.com/docs/channels/library_auth_reference/rest-api/",
        pattern="[0-9a-f]{20}",
        find=Find.ASSIGNED,
        keywords=("pusher",),
        named=("secret",),
        entropy=2.6,
        rank=30,
        positives=("PUSHER_APP_SECRET=«{hex:20}»",),
    ),
)
