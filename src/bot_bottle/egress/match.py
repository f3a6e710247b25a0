"""Routes made ready to be asked: host look-up and ``matches``, compiled once per policy.

Meaning of ``matches``: the Kubernetes Gateway API's HTTPRoute; regular expressions run on RE2, whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot_bottle.egress.config import Policy, Route


@dataclass(frozen=True)
class CompiledPolicy:
    """A policy and its look-up tables; immutable, shared by all flows. Made by :func:`compile_policy`."""

    policy: Policy

    def find(self, host: str) -> Route | None:
        """The one route for canonical *host*: exact before wildcard, the longer wildcard first."""
        return None


def compile_policy(policy: Policy) -> CompiledPolicy:
    """Compile *policy*; raises :class:`ConfigError` (its regular expressions, its hosts)."""
    return CompiledPolicy(policy)
