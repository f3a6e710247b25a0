"""Credentials of WorkOS."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="workos-key",
        vendor="WorkOS",
        docs="https://workos.com/docs/reference/api-keys",
        pattern="sk_(?:live_|test_)?[a-z][A-Za-z0-9]{55,70}",
        prefix="sk_test_",
        keywords=("workos",),
        rank=57,
        positives=("WORKOS_API_KEY=«sk_test_a{b62:60}»",),
    ),
)
