"""Credentials of Netlify."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="netlify-token",
        vendor="Netlify",
        docs="https://docs.netlify.com/api/get-started/",
        pattern="(?:nfp|nfc|nfo|nfu|nfb)_[A-Za-z0-9]{36,}",
        prefix="nfp_",
        positives=("NETLIFY_AUTH_TOKEN=«nfp_{b62:36}»",),
    ),
    Rule(
        name="netlify-legacy-token",
        vendor="Netlify",
        docs="https://docs.netlify.com/api/get-started/",
        pattern="[A-Za-z0-9_-]{43,46}",
        find=Find.ASSIGNED,
        keywords=("netlify",),
        named=(
            "token",
            "key",
        ),
        entropy=3.8,
        rank=30,
        positives=("NETLIFY_AUTH_TOKEN=«{b64u:20}4{b64u:22}»",),
    ),
)
