"""Which hosts have sent a bottle text that gives orders, and what waits for the operator because of it.

Pure state: whoever owns it keeps it for the session, shows it, and clears it when the operator says so. Clearing is
the only way out: time heals nothing, since what an agent has read it keeps.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct, structs

MOST_HOSTS = 64
"""that are named; one more changes no verdict"""
BODY_BYTES = 64 * 1024
"""a larger one waits (dlp.md §2)"""
_READS = frozenset(("GET", "HEAD", "OPTIONS"))


class Mark(Struct, frozen=True):
    host: str
    since: float
    """seconds since the epoch, of its first finding"""
    rules: tuple[str, ...]
    """what was found, each once, in the order in which it was"""


class Taint(Struct, frozen=True):
    """Marks by host, the first first."""

    marks: tuple[Mark, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.marks)

    def marked(self, host: str, rule: str, now: float) -> Taint:
        """The state after a finding in what *host* sent."""
        for place, mark in enumerate(self.marks):
            if mark.host == host:
                if rule in mark.rules:
                    return self
                more = structs.replace(mark, rules=(*mark.rules, rule))
                return Taint((*self.marks[:place], more, *self.marks[place + 1 :]))
        if len(self.marks) >= MOST_HOSTS:
            return self
        return Taint((*self.marks, Mark(host, now, (rule,))))

    def cleared(self, host: str | None = None) -> Taint:
        """Without *host*'s mark; None: without any."""
        return Taint() if host is None else Taint(tuple(mark for mark in self.marks if mark.host != host))


class Held(StrEnum):
    """Why a request waits for approval under ``egress.on_taint: tighten``."""

    NEW_HOST = "new-host"
    WRITE = "write"
    LARGE_BODY = "large-body"


def held_under_taint(
    taint: Taint,
    host: str,
    method: str,
    body_bytes: int | None,
    seen_hosts: Collection[str],
    provider_hosts: Collection[str],
) -> Held | None:
    """Whether a request waits, and why; None: it goes.

    *body_bytes*: None where the head does not say; then it is judged as large. *seen_hosts*: those that this bottle
    had used before the taint. *provider_hosts* are the agent's own model: every request there is a write, and large.
    """
    if not taint:
        return None
    if host in provider_hosts:
        return None
    if host not in seen_hosts:
        return Held.NEW_HOST
    if method.upper() not in _READS:
        return Held.WRITE
    if body_bytes is None or body_bytes > BODY_BYTES:
        return Held.LARGE_BODY
    return None
