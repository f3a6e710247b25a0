"""Credentials of OneSignal."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="onesignal-key",
        vendor="OneSignal",
        docs="https://documentation.onesignal.com/docs/en/keys-and-ids",
        pattern="os_v2_(?:app|org)_[a-z0-9]{90,110}",
        edge=Edge.FREE,
        positives=("«os_v2_app_{b36:103}»",),
    ),
)
