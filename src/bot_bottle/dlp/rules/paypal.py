"""Credentials of PayPal."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="braintree-access-token",
        vendor="Braintree",
        docs="https://developer.paypal.com/braintree/docs/guides/authorization/access-token",
        pattern=r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        edge=Edge.WORD,
        positives=("«access_token$production${b36:16}${hex:32}»",),
    ),
    Rule(
        name="paypal-access-token",
        vendor="PayPal",
        docs="https://developer.paypal.com/api/rest/authentication/",
        pattern="A21AA[A-Za-z0-9_-]{80,}",
        positives=("Authorization: Bearer «A21AA{b64u:92}»",),
    ),
    Rule(
        name="paypal-client-secret",
        vendor="PayPal",
        docs="https://developer.paypal.com/api/rest/authentication/",
        pattern="E[A-Za-z0-9_-]{79}",
        find=Find.ASSIGNED,
        keywords=("paypal",),
        named=("secret",),
        entropy=4.0,
        rank=30,
        positives=("PAYPAL_CLIENT_SECRET=«E{b64u:20}4{b64u:58}»",),
    ),
)
