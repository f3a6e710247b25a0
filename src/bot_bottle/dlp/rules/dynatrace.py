"""Credentials of Dynatrace."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="dynatrace-token",
        vendor="Dynatrace",
        docs="https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens",
        pattern=r"dt0[a-z][0-9]{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}",
        positives=("Authorization: Api-Token «dt0c01.{b32:24}.{b32:64}»",),
    ),
)
