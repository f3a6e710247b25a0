"""Credentials of Ionic."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="ionic-token",
        vendor="Ionic",
        docs="https://ionic.io/docs/appflow/cli/authentication",
        pattern="ion_[A-Za-z0-9]{42}",
        find=Find.ASSIGNED,
        prefix="ion_",
        keywords=(
            "ionic",
            "ion_",
        ),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("IONIC_TOKEN=«ion_{b62:20}4{b62:21}»",),
    ),
)
