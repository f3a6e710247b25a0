"""Credentials of PyPI."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="pypi-token",
        vendor="PyPI",
        docs="https://github.com/pypi/warehouse",
        pattern="pypi-AgE[IN][A-Za-z0-9_-]{50,}",
        edge=Edge.FREE,
        check="macaroon",
        rank=70,
        positives=(
            "password = «pypi-AgEIcHlwaS5vcmc{b64u:130}»",
            "«pypi-AgENdGVzdC5weXBpLm9yZw{b64u:130}»",
        ),
        negatives=("pypi-AgEI{b64u:100}",),
    ),
)
