"""Credentials of PlanetScale."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="planetscale-token",
        vendor="PlanetScale",
        docs="https://planetscale.com/docs/api/reference/service-tokens",
        pattern="pscale_(?:tkn|pw|oauth|otkn)_[A-Za-z0-9_=.-]{32,64}",
        prefix="pscale_tkn_",
        edge=Edge.FREE,
        positives=(
            "«pscale_tkn_{b64u:43}»",
            "password: «pscale_pw_{b64u:43}»",
        ),
    ),
)
