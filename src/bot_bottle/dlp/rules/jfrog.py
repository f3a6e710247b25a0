"""Credentials of JFrog."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="artifactory-key",
        vendor="JFrog",
        docs="https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens",
        pattern="AKC[a-z][A-Za-z0-9]{69}",
        edge=Edge.ALONE,
        positives=("«AKCp{b62:69}»",),
    ),
    Rule(
        name="artifactory-reference-token",
        vendor="JFrog",
        docs="https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens",
        pattern="cmVmdGtuOj[A-Za-z0-9]{54}",
        edge=Edge.WORD,
        random=False,
        positives=("«cmVmdGtuOjAxO{b62:51}»",),
        known="begins with the base64 of reftkn:",
    ),
)
