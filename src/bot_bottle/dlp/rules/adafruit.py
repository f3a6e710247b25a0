"""Credentials of Adafruit IO."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="adafruit-key",
        vendor="Adafruit IO",
        docs="https://io.adafruit.com/api/docs/",
        pattern="aio_[A-Za-z0-9]{28}",
        positives=("«aio_{b62:28}»",),
    ),
)
