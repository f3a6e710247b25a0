"""Credentials of Polar."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="polar-token",
        vendor="Polar",
        docs="https://polar.sh/docs/integrate/authentication",
        pattern="polar_(?:oat|pat|at_[uo]|rt_[uo]|ci|cs|sk|whs)_[A-Za-z0-9]{30,}",
        prefix="polar_oat_",
        positives=("POLAR_ACCESS_TOKEN=«polar_oat_{b62:43}»",),
    ),
)
