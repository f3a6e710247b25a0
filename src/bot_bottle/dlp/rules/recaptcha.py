"""Credentials of reCAPTCHA."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="recaptcha-secret",
        vendor="reCAPTCHA",
        docs="https://developers.google.com/recaptcha/docs/verify",
        pattern="6L[A-Za-z0-9_-]{38}",
        find=Find.ASSIGNED,
        keywords=(
            "recaptcha",
            "captcha",
        ),
        named=(
            "secret",
            "private",
        ),
        entropy=3.8,
        rank=30,
        positives=("RECAPTCHA_SECRET_KEY=«6L{b64u:20}4{b64u:17}»",),
    ),
)
