"""Credentials of Private Packagist."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="packagist-token",
        vendor="Private Packagist",
        docs="https://packagist.com/docs/composer-authentication",
        pattern="packagist_[a-z]{3}_[0-9a-f]{68}",
        edge=Edge.FREE,
        positives=("«packagist_uut_{hex:68}»",),
    ),
)
