"""Credentials of Postmark."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="postmark-token",
        vendor="Postmark",
        docs="https://postmarkapp.com/developer/api/overview",
        pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        find=Find.ASSIGNED,
        keywords=("postmark",),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("X-Postmark-Server-Token: «{uuid}»",),
    ),
)
