"""Credentials of Dropbox."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="dropbox-token",
        vendor="Dropbox",
        docs="https://developers.dropbox.com/oauth-guide",
        pattern=r"sl\.(?:u\.)?[A-Za-z0-9_-]{130,}",
        reach=2048,
        positives=("DROPBOX_TOKEN=«sl.{b64u:136}»",),
    ),
)
