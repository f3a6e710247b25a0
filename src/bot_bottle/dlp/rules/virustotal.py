"""Credentials of VirusTotal."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="virustotal-key",
        vendor="VirusTotal",
        docs="https://docs.virustotal.com/docs/please-give-me-an-api-key",
        pattern="[0-9a-f]{64}",
        find=Find.ASSIGNED,
        keywords=(
            "virustotal",
            "vt_api",
            "x-apikey",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("VT_API_KEY=«{hex:64}»",),
    ),
)
