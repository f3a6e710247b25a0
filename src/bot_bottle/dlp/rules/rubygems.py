"""Credentials of RubyGems."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="rubygems-key",
        vendor="RubyGems",
        docs="https://guides.rubygems.org/api-key-scopes/",
        pattern="rubygems_[0-9a-f]{48}",
        edge=Edge.FREE,
        positives=(":rubygems_api_key: «rubygems_{hex:48}»",),
    ),
)
