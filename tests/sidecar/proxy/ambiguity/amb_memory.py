"""The real client connection, exchange and upstream over transports in memory: every piece is the test's own."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from amb_reading import NONCE, NONCE_FIELD, is_own_nonce

from bot_bottle.base.secret import Secret
from bot_bottle.egress.match import CompiledPolicy
from bot_bottle.sidecar.proxy.arming import Armoury, make_engine
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.connection import ClientConnection
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.incoming import Incoming
from bot_bottle.sidecar.proxy.inspection import Inspector
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.sidecar.proxy.log import EventLog
from bot_bottle.sidecar.proxy.questions import NobodyToAsk
from bot_bottle.sidecar.proxy.tls import LeafContexts
from bot_bottle.sidecar.proxy.turns import Turns
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.sidecar.proxy.write import Credentials

AUTHORITY = CertificateAuthority.create()
TRUST = ssl.create_default_context(cadata=AUTHORITY.ca_pem)
QUIET_TURNS = 8
"""turns of the loop in which nothing moves: nothing will (work that was put off takes one each)"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire(asyncio.Transport):
    """A transport that keeps what is written; *answer* is told of it once the loop turns."""

    def __init__(self, answer: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self._answer = answer

    def write(self, data: Any) -> None:
        self.written += data
        if self._answer is not None:
            asyncio.get_running_loop().call_soon(self._answer)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Dialer:
    """Opens upstreams in memory that answer every whole request, in the pieces of *answers*."""

    def __init__(self, limits: Limits, answers: Sequence[bytes] = (OK,)) -> None:
        self.wires: list[Wire] = []
        self._limits = limits
        self._answers = answers

    async def open(self, key: Any, route: Any) -> Upstream:
        upstream = Upstream(key, None, self._limits, Turns())
        answered = 0
        coming: list[bytes] = []

        def answer() -> None:
            nonlocal answered
            while answered < requests_in(bytes(wire.written)) and upstream.flow is not None:
                answered += 1
                coming.extend(self._answers)
                speak()

        def speak() -> None:
            if coming and upstream.open:
                upstream.data_received(coming.pop(0))
                asyncio.get_running_loop().call_soon(speak)

        wire = Wire(answer)
        self.wires.append(wire)
        upstream.connection_made(wire)
        return upstream


def requests_in(data: bytes) -> int:
    """Whole requests, as a plain server counts them."""
    return len(canonical(data))


def split_body(head: bytes, data: bytes) -> tuple[bytes | None, bytes]:
    for line in head.split(b"\r\n"):
        if line.startswith(b"Content-Length: "):
            size = int(line[16:])
            return (data[:size], data[size:]) if len(data) >= size else (None, data)
        if line.startswith(b"Transfer-Encoding: "):
            return unchunk(data)
    return b"", data


def unchunk(data: bytes) -> tuple[bytes | None, bytes]:
    body = b""
    while b"\r\n" in data:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        if size == 0:
            return body, data[2:]
        body, data = body + data[:size], data[size + 2 :]
    return None, data


def canonical(data: bytes) -> list[tuple[bytes, bytes]]:
    """Whole requests with joined bodies: sizes of forwarded chunks may differ, and how much of a request
    that is broken off has gone out before."""
    out = []
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        body, data = split_body(head, data)
        if body is None:
            break
        out.append((head, body))
    return out


def constant_nonce(head: bytes, sent: bytes) -> bytes:
    """*head* with :data:`amb_reading.NONCE` for the key of a WebSocket that the proxy asks for: a new one each time,
    so that no two plays of one stream would be the same. What is no nonce of its own stays."""

    def line(text: bytes) -> bytes:
        name, colon, value = text.partition(b": ")
        own = name.lower() == NONCE_FIELD and is_own_nonce(value, sent)
        return name + colon + NONCE if own else text

    return b"\r\n".join(map(line, head.split(b"\r\n")))


@dataclass(frozen=True)
class Seen:
    """What the client got, what each upstream got, whether the connection is closed."""

    said: bytes
    upstreams: tuple[tuple[tuple[bytes, bytes], ...], ...]
    ended: bool


class Bench:
    """One client connection of a real proxy's gateway."""

    def __init__(self, policy: CompiledPolicy, limits: Limits, answers: Sequence[bytes] = (OK,)) -> None:
        self._log = EventLog(os.open(os.devnull, os.O_WRONLY), Limits(log_lines_per_s=1))
        self.dialer = Dialer(limits, answers)
        dialer: Any = self.dialer
        arms = Armoury((), make_engine).arm({}, policy.policy)
        assert arms is not None
        self.gateway = Gateway(
            policy,
            Credentials({"X": Secret("x")}),
            LeafContexts(AUTHORITY),
            dialer,
            self._log,
            inspector=Inspector(arms, policy=lambda: policy, log=self._log),
            incoming=Incoming(lambda: policy, self._log),
            questions=NobodyToAsk(),
            limits=limits,
        )
        self.connection = ClientConnection(self.gateway)
        self.wire = Wire()
        self.sent = bytearray()
        self.connection.connection_made(self.wire)

    async def give(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            self.sent += piece
            self.connection.data_received(piece)
            await self.settle()

    async def settle(self) -> None:
        quiet, before = 0, -1
        while quiet < QUIET_TURNS:
            await asyncio.sleep(0)
            now = len(self.wire.written) + sum(len(wire.written) for wire in self.dialer.wires)
            quiet, before = (quiet + 1 if now == before else 0), now

    async def end(self, said: bytes | None = None) -> Seen:
        await self.settle()
        sent = bytes(self.sent)
        upstreams = tuple(
            tuple((constant_nonce(head, sent), body) for head, body in canonical(bytes(wire.written)))
            for wire in self.dialer.wires
        )
        ended = self.connection._stage.name == "LINGER"
        seen = Seen(bytes(self.wire.written) if said is None else said, upstreams, ended)
        self.connection.connection_lost(None)
        await asyncio.sleep(0)
        os.close(self._log._fd)
        assert self.gateway.active == 0
        return seen


def play(
    policy: CompiledPolicy, limits: Limits, pieces: Sequence[bytes], answers: Sequence[bytes] = (OK,)
) -> Seen:
    """What comes of plain *pieces*."""

    async def main() -> Seen:
        bench = Bench(policy, limits, answers)
        await bench.give(pieces)
        return await bench.end()

    with asyncio.Runner() as runner:
        return runner.run(main())


def play_tls(
    policy: CompiledPolicy,
    limits: Limits,
    host: str,
    records: Sequence[bytes],
    cut: Callable[[bytes], list[bytes]],
) -> Seen:
    """What comes of *records* in a tunnel to *host*, each a TLS record; *cut* makes pieces of their bytes."""

    async def main() -> Seen:
        bench = Bench(policy, limits)
        tls, incoming, outgoing = await _handshake(bench, host)
        for record in records:
            tls.write(record)
        await bench.give(cut(outgoing.read()))
        await bench.settle()
        said = _read(tls, incoming, bench)
        return await bench.end(said)

    with asyncio.Runner() as runner:
        return runner.run(main())


async def _handshake(bench: Bench, host: str) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    name = f"{host}:443".encode()
    await bench.give([b"CONNECT " + name + b" HTTP/1.1\r\nHost: " + name + b"\r\n\r\n"])
    assert bench.wire.written.startswith(b"HTTP/1.1 200 ")
    bench.wire.written.clear()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = TRUST.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            await bench.give([outgoing.read()])
            incoming.write(bytes(bench.wire.written))
            bench.wire.written.clear()
        else:
            await bench.give([data] if (data := outgoing.read()) else [])
            return tls, incoming, outgoing


def _read(tls: ssl.SSLObject, incoming: ssl.MemoryBIO, bench: Bench) -> bytes:
    incoming.write(bytes(bench.wire.written))
    said = b""
    try:
        while piece := tls.read(65536):
            said += piece
    except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
        pass
    return said
