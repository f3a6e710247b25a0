"""Credentials of Kubernetes."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="kubeadm-bootstrap-token",
        vendor="Kubernetes",
        docs="https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/",
        pattern=r"--token[ =]([a-z0-9]{6}\.[a-z0-9]{16})",
        group=1,
        edge=Edge.FREE,
        end="[A-Za-z0-9]",
        positives=("kubeadm join 10.0.0.1:6443 --token «{b36:6}.{b36:16}»",),
    ),
)
