"""Credentials of PostHog."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="posthog-personal-key",
        vendor="PostHog",
        docs="https://posthog.com/docs/api",
        pattern="ph[xr]_[A-Za-z0-9]{40,50}",
        positives=("«phx_{b62:43}»",),
    ),
)
