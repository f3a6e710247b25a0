"""Credentials of IBM Cloud."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="ibm-cloud-key",
        vendor="IBM Cloud",
        docs="https://cloud.ibm.com/docs/account?topic=account-userapikey",
        pattern="[A-Za-z0-9_-]{44}",
        find=Find.ASSIGNED,
        keywords=(
            "ibm",
            "bluemix",
            "watson",
        ),
        named=(
            "key",
            "token",
        ),
        entropy=3.8,
        rank=30,
        positives=("IBMCLOUD_API_KEY=«{b64u:20}4{b64u:23}»",),
    ),
)
