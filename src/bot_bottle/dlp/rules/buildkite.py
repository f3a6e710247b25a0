"""Credentials of Buildkite."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="buildkite-token",
        vendor="Buildkite",
        docs="https://buildkite.com/docs/platform/security/tokens",
        pattern="bk(?:ua|ct|pt|aj|rt|et)_[A-Za-z0-9_-]{32,}",
        positives=("«bkua_{hex:40}»",),
    ),
)
