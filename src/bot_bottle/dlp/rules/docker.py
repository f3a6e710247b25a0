"""Credentials of Docker."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="docker-token",
        vendor="Docker",
        docs="https://docs.docker.com/security/access-tokens/",
        pattern="dckr_[po]at_[A-Za-z0-9_-]{27,}",
        edge=Edge.FREE,
        positives=(
            "docker login -u u -p «dckr_pat_{b64u:27}»",
            "«dckr_oat_{b64u:32}»",
        ),
    ),
    Rule(
        name="docker-swarm-token",
        vendor="Docker",
        docs="https://docs.docker.com/engine/swarm/join-nodes/",
        pattern="SWMTKN-1-[a-z0-9]{50}-[a-z0-9]{25}",
        edge=Edge.FREE,
        positives=("docker swarm join --token «SWMTKN-1-{b36:50}-{b36:25}» 10.0.0.1:2377",),
    ),
)
