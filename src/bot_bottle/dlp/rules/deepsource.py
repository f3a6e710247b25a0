"""Credentials of DeepSource."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="deepsource-token",
        vendor="DeepSource",
        docs="https://docs.deepsource.com/docs/developers/api/authentication",
        pattern="dsp_[A-Za-z0-9]{32,48}",
        positives=("«dsp_{b62:40}»",),
    ),
)
