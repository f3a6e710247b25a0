"""Credentials of Zapier."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="zapier-webhook",
        vendor="Zapier",
        docs="https://help.zapier.com/hc/en-us/articles/8496288690317",
        pattern=r"hooks\.zapier\.com(?:\\?/)hooks(?:\\?/)catch(?:\\?/)[0-9]{5,10}(?:\\?/)[a-z0-9]{6,10}",
        edge=Edge.FREE,
        entropy=0.0,
        random=False,
        positives=("https://«hooks.zapier.com/hooks/catch/{dig:8}/{b36:7}»",),
    ),
)
