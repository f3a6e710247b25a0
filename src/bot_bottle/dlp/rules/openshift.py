"""Credentials of OpenShift."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="openshift-token",
        vendor="OpenShift",
        docs="https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/authentication_and_authorization/managing-oauth-access-tokens",
        pattern="sha256~[A-Za-z0-9_-]{43}",
        edge=Edge.FREE,
        positives=("oc login --token=«sha256~{b64u:43}»",),
    ),
)
