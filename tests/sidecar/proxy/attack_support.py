"""An attacker inside the bottle who sends a secret in many disguises, and what of it an upstream received.

Each attack goes to a route that blocks, and to one without detectors, where it must arrive: else it proves nothing
(ruling 70).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dlp_support import BLOCK, HOSTS, OFF, POLICY, SLOT, SLOT_VALUE, TOKEN, Sent, post, random_value

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.inbound.triggers import databases
from bot_bottle.dlp.known import Kind
from bot_bottle.dlp.views import find
from bot_bottle.sidecar.proxy import inspection
from bot_bottle.sidecar.proxy.arming import Extra
from bot_bottle.testing.upstream import FakeUpstream

VARIABLE = random_value(3)
"""known by its value; of no slot: three parts of an injected one cut a bottle off (ruling 54)"""
SECRETS = {"pattern": TOKEN, "known": VARIABLE}
LATER_S = 3600.0
"""between two attacks: what went out in pieces before is forgotten"""
WORDS = b"the quick brown fox jumps over the lazy dog, nothing to be seen in here\n"
KIB = 1024

Write = Callable[[bytes], bytes]
"""a secret to a body that holds it"""


def words(size: int) -> bytes:
    """Text of so many bytes that holds nothing."""
    return (WORDS * (size // len(WORDS) + 1))[:size]


class Attack:
    """Sends bodies over one connection a host, and tells what became of them."""

    def __init__(self, proxy, upstream: FakeUpstream) -> None:
        self._proxy = proxy
        self._upstream = upstream
        self._numbers = itertools.count()
        self.later_s = 0.0
        self._clients: dict[str, Any] = {}

    def send(self, host: str, request: Callable[[str], Sent | bytes]):
        """The answer to what *request* makes of a path of its own, and whether the upstream saw a whole request."""
        path = f"/attack-{next(self._numbers)}-"
        self.later_s += LATER_S
        sent = request(path)
        client = self._clients.get(host)
        if client is None:
            client = self._clients[host] = self._proxy.tls(host)
        client.send(sent if isinstance(sent, bytes) else sent.data)
        answer = client.answer()
        if answer.headers.get("connection") == "close":
            self.leave(host)
        seen = [request for request in self._upstream.requests if path in request.target]
        return answer, seen

    def leave(self, host: str) -> None:
        """The next request to *host* takes a new connection."""
        client = self._clients.pop(host, None)
        if client is not None:
            client.close()

    def body(self, host: str, body: bytes, fields: tuple[tuple[str, str], ...] = (), *, chunked: int = 0):
        return self.send(host, lambda path: post(host, body, path, fields=fields, chunked=chunked))

    def is_stopped(self, body: bytes, fields: tuple[tuple[str, str], ...] = (), *, chunked: int = 0) -> None:
        """*body* is refused and not received; without detectors it arrives as it is."""
        self.arrives(OFF, body, fields)
        answer, seen = self.body(BLOCK, body, fields, chunked=chunked)
        assert answer.status == 403, "it was let through"
        assert answer.reason.startswith("egress DLP: "), answer.reason
        assert seen == []

    def arrives(self, host: str, body: bytes, fields: tuple[tuple[str, str], ...] = ()) -> None:
        answer, seen = self.body(host, body, fields)
        assert answer.status == 200, answer.body
        assert [request.body for request in seen] == [body]

    def shows_nothing(self) -> None:
        """No log line holds a secret."""
        log = self._proxy.log_path.read_text()
        assert [name for name, value in SECRETS.items() if value in log] == []


def prepare() -> None:
    """What a sidecar's parent has ready before it forks: seconds of work on a loaded machine."""
    databases()
    find.prepare()


def attacking(
    run_proxy, to, policy: str = POLICY, hosts: tuple[str, ...] = HOSTS, **options
) -> Iterator[Attack]:
    """For a fixture."""
    prepare()
    options.setdefault("secrets", (Extra("OPERATORS_KEY", Secret(VARIABLE), Kind.OPERATOR),))
    with FakeUpstream() as upstream, pytest.MonkeyPatch.context() as patch:
        ways = to(upstream, *((host, 443) for host in hosts))
        proxy = run_proxy(policy, upstream=upstream, tokens={SLOT: SLOT_VALUE}, connect_to=ways, **options)
        attack = Attack(proxy, upstream)
        patch.setattr(inspection, "monotonic", lambda: time.monotonic() + attack.later_s)
        yield attack
        attack.shows_nothing()
