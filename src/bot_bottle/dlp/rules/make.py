"""Credentials of Make."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="make-webhook",
        vendor="Make",
        docs="https://help.make.com/webhooks",
        pattern=r"hook\.[a-z0-9]{2,5}\.make\.com(?:\\?/)[a-z0-9]{32}",
        prefix="hook.eu1.make.com/",
        edge=Edge.FREE,
        positives=("https://«hook.eu1.make.com/{b36:32}»",),
    ),
)
