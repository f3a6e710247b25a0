"""Credentials of hCaptcha."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="hcaptcha-secret",
        vendor="hCaptcha",
        docs="https://docs.hcaptcha.com/",
        pattern="(?:ES_[0-9a-f]{32}|0x[0-9a-fA-F]{40})",
        find=Find.ASSIGNED,
        prefix="ES_",
        keywords=("hcaptcha",),
        named=(
            "secret",
            "key",
        ),
        rank=30,
        positives=("HCAPTCHA_SECRET=«ES_{hex:32}»",),
    ),
)
