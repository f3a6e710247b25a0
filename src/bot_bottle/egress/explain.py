"""``bot-bottle explain``: what would happen to a request, by the very code that enforces."""

from __future__ import annotations

from dataclasses import dataclass

from bot_bottle.egress.config import Route
from bot_bottle.egress.match import CompiledPolicy
from bot_bottle.egress.verdict import Deny, Verdict


@dataclass(frozen=True)
class Explanation:
    """A verdict and what led to it."""

    url: str
    """canonical, as it would be judged; as given where it could not be read"""
    method: str
    verdict: Verdict
    rule: str
    """one sentence: which rule decided"""
    route: Route | None = None
    credentials: tuple[str, ...] = ()
    """slots or variables by name, each ``NAME in HEADER``; never a value"""


def explain(
    policy: CompiledPolicy, url: str, method: str = "GET", *, headers: tuple[tuple[str, str], ...] = ()
) -> Explanation:
    """What :func:`decide` says to a well-behaved client's request for *url* (scheme optional: https)."""
    return Explanation(url, method, Deny(403, "egress: route: no route for this host"), "no route")
