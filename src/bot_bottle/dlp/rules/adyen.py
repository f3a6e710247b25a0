"""Credentials of Adyen."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="adyen-key",
        vendor="Adyen",
        docs="https://docs.adyen.com/development-resources/api-credentials/",
        pattern=r"AQE[a-z][A-Za-z0-9+/:.=$^(){}\[\]<>~!@#%&*_-]{60,}",
        find=Find.ASSIGNED,
        keywords=("adyen",),
        rank=30,
        positives=("ADYEN_API_KEY=«AQEy{b62:20}4{b62:79}-{b62:43}=-{b62:20}»",),
    ),
)
