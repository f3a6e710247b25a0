"""Credentials of Cloudflare Turnstile."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="turnstile-secret",
        vendor="Cloudflare Turnstile",
        docs="https://developers.cloudflare.com/turnstile/get-started/",
        pattern="0x4AAAAAA[A-Za-z0-9_-]{24,30}",
        prefix="0x4AAAAAA",
        keywords=("secret",),
        positives=("TURNSTILE_SECRET_KEY=«0x4AAAAAA{b64u:26}»",),
    ),
)
