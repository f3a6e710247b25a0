"""Credentials of Doppler."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="doppler-token",
        vendor="Doppler",
        docs="https://docs.doppler.com/docs/service-tokens",
        pattern=r"dp\.(?:pt|st|ct|sa|scim|audit|said)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
        prefix="dp.st.",
        positives=(
            "DOPPLER_TOKEN=«dp.st.dev.{b62:43}»",
            "«dp.pt.{b62:43}»",
        ),
    ),
)
