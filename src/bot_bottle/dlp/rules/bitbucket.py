"""Credentials of Bitbucket."""

from __future__ import annotations

from bot_bottle.dlp.rule import Rule

RULES = (
    Rule(
        name="bitbucket-app-password",
        vendor="Bitbucket",
        docs="https://support.atlassian.com/bitbucket-cloud/docs/using-app-passwords/",
        pattern="ATBB[A-Za-z0-9]{24}[0-9A-F]{8}",
        positives=("https://user:«ATBB{b62:24}{HEX:8}»@bitbucket.org/o/r.git",),
    ),
    Rule(
        name="bitbucket-data-center-token",
        vendor="Bitbucket",
        docs="https://confluence.atlassian.com/bitbucketserver/http-access-tokens-939515499.html",
        pattern="BBDC-[A-Za-z0-9+/@_-]{40,48}",
        positives=("«BBDC-{b64:44}»",),
    ),
)
