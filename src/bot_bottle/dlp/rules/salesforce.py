"""Credentials of Salesforce."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="salesforce-access-token",
        vendor="Salesforce",
        docs="https://help.salesforce.com/s/articleView?id=xcloud.user_security_token.htm",
        pattern="00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{80,120}",
        positives=("«00D{b62:12}!{b62:96}»",),
    ),
)
