"""Which secrets the scanner of one proxy knows, and the engine that looks for them.

Known are the values of all slots (those that the policy names, and ``EGRESS_TOKEN_*``), and what the launch says
besides: variables of the operator's, secrets that the bottle itself was given, the canary (dlp.md §2; rulings 16,
48, 61). A slot's earlier values stay known: a login that was refreshed may still be good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.inbound.stream import InboundStream
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.scan import Engine
from bot_bottle.dlp.views import find
from bot_bottle.egress.config import Policy
from bot_bottle.egress.headers import injections
from bot_bottle.sidecar.proxy.inspection import Arms, KnownSecret

SLOT_PREFIX = "EGRESS_TOKEN_"

KEPT_VALUES = 4
"""of one slot: the one in use and three before it"""

EARLIER = "#"
"""between a slot's name and the number of an earlier value; no variable's name has it"""


@dataclass(frozen=True)
class Extra:
    """A secret that is in no slot."""

    name: str
    value: Secret
    kind: Kind
    hosts: tuple[str, ...] = ()


_ANY_TEXT = b"data: any text\n\n"

MakeEngine = Callable[[KnownSecrets], Engine]


def make_engine(known: KnownSecrets) -> Engine:
    """All detectors."""
    return Engine(_patterns(), known)


def preload() -> None:
    """Make what all bottles share, in the process that forks their proxies: databases are compiled when they are
    first asked, so they are asked. Nothing secret is in them."""
    find.prepare()
    make_engine(KnownSecrets({})).scan(_ANY_TEXT)
    for kind in ("text/html", "application/json", "text/event-stream"):
        stream = InboundStream(kind)
        stream.feed(_ANY_TEXT)
        stream.finish()


@cache
def _patterns() -> Patterns:
    """One for the process: it holds no secret, and takes a tenth of a second to make."""
    return Patterns()


class Armoury:
    """What is known by now; asked for a new engine when tokens or policy change."""

    def __init__(self, extras: Iterable[Extra], make: MakeEngine) -> None:
        self._extras = tuple(extras)
        self._make = make
        self._slots: dict[str, list[Secret]] = {}
        self.warnings: tuple[str, ...] = ()
        """by name, which of them can't be looked for (rulings 12, 54)"""

    def arm(self, tokens: Mapping[str, Secret], policy: Policy) -> Arms | None:
        """None: they are what they were."""
        before = {name: list(values) for name, values in self._slots.items()}
        for name in _slots(tokens, policy):
            values = self._slots.setdefault(name, [])
            if tokens[name] not in values:
                values.insert(0, tokens[name])
                del values[KEPT_VALUES:]
        if before == self._slots and before:
            return None
        known: dict[str, Known] = {}
        table: dict[str, KnownSecret] = {}
        for name, values in self._slots.items():
            for number, value in enumerate(values):
                key = f"{name}{EARLIER}{number}" if number else name
                known[key], table[key] = _known(value, Kind.INJECTED, ())
        for extra in self._extras:
            known[extra.name], table[extra.name] = _known(extra.value, extra.kind, extra.hosts)
        secrets = KnownSecrets(known)
        self.warnings = secrets.warnings
        return Arms(self._make(secrets), secrets, table)


IDENTIFIERS = frozenset({"chatgpt-account-id"})
"""Injected fields that say whose account it is and open nothing: the client in the bottle has the value, and looks
for it in what the service answers (``providers/codex_login``)."""


def _slots(tokens: Mapping[str, Secret], policy: Policy) -> list[str]:
    """Those that hold a secret."""
    injected = [inject for route in policy.routes for inject in injections(route)]
    named = {inject.token for inject in injected if inject.header.lower() not in IDENTIFIERS}
    told = {inject.token for inject in injected} - named
    if policy.upstream_proxy is not None and policy.upstream_proxy.token is not None:
        named.add(policy.upstream_proxy.token)
    return [name for name in tokens if name in named or (name.startswith(SLOT_PREFIX) and name not in told)]


def _known(value: Secret, kind: Kind, hosts: tuple[str, ...]) -> tuple[Known, KnownSecret]:
    return Known(value, kind, frozenset(hosts)), KnownSecret(_digest(value), kind, hosts)


def _digest(value: Secret) -> bytes:
    """Of the value as it is looked for: without line ends around it (``dlp.known``)."""
    return hashlib.sha256(value.reveal().strip("\r\n").encode("utf-8", "surrogateescape")).digest()
