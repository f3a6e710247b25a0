"""Credentials of NVIDIA."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="nvidia-key",
        vendor="NVIDIA",
        docs="https://docs.nvidia.com/ngc/latest/ngc-user-guide.html",
        pattern="nvapi-[A-Za-z0-9_-]{60,70}",
        edge=Edge.FREE,
        positives=("«nvapi-{b64u:64}»",),
    ),
)
