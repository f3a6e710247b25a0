"""Credentials of Spotify."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="spotify-secret",
        vendor="Spotify",
        docs="https://developer.spotify.com/documentation/web-api/concepts/apps",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=("spotify",),
        named=("secret",),
        rank=30,
        positives=("SPOTIFY_CLIENT_SECRET=«{hex:32}»",),
    ),
)
