"""Credentials of Portainer."""

from __future__ import annotations

from bot_bottle.dlp.rule import Find, Rule

RULES = (
    Rule(
        name="portainer-token",
        vendor="Portainer",
        docs="https://docs.portainer.io/api/access",
        pattern="ptr_[A-Za-z0-9+/]{43}=",
        find=Find.ASSIGNED,
        prefix="ptr_",
        keywords=(
            "portainer",
            "x-api-key",
        ),
        named=(
            "token",
            "key",
        ),
        rank=30,
        positives=("X-API-Key: «ptr_{b64:20}4{b64:22}=»",),
    ),
)
