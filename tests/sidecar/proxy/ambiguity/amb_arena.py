"""Real proxies in this process's loop, each with an upstream of its own that records the exact bytes.

A *lane* is one ``ProxyServer`` and one recorder; it takes one case at a time, so that whatever its recorder
receives meanwhile came of that case, whatever it says. Lanes run side by side.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar
from unittest import mock

import uvloop
from amb_draft import ALLOWED_HOSTS, HOST, Mode

from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Verdict
from bot_bottle.sidecar.proxy import connection as connection_module
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS
from bot_bottle.sidecar.proxy.server import ProxyOptions, ProxyServer
from bot_bottle.sidecar.proxy.tls import load_leaf

NAMES = [host.decode().strip("[]") for host in ALLOWED_HOSTS]
POLICY = "log: 1\nroutes:\n" + "".join(
    f"  - host: {name!r}\n    matches: [{{paths: [{{value: /ok}}]}}]\n" for name in NAMES
)
LIMITS = replace(DEFAULT_LIMITS, linger_s=0.05, sweep_s=0.02)
MOST_LANES = 48
CASES_A_LANE = 12
"""so many at least, before another lane is worth its start (25 ms of CPU)"""
QUIET_S = 0.004
QUIET_TURNS = 3
"""without anything said by anybody, once nothing is in flight: the case is over"""
STUCK_TURNS = 20
"""the same, with a request in flight: it waits for what will never come"""
END_S = 10.0


class Recorder(asyncio.Protocol):
    """One upstream connection: keeps every byte, and has its lane answer what looks like whole requests."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.data = bytearray()
        self.open = True
        self.answered = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.lane.recorders.append(self)

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.lane.activity += 1
        self.lane.answer(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self.lane.activity += 1


def answer_all(recorder: Recorder) -> None:
    """200 for every whole request. It reads leniently: who judges is others' business."""
    whole = whole_requests(bytes(recorder.data))
    for method in whole[recorder.answered :]:
        recorder.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + b"ok" * (method != b"HEAD")
        )
    recorder.answered = len(whole)


def whole_requests(data: bytes) -> list[bytes]:
    """The methods of the whole requests in *data*."""
    found = []
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        rest = _behind_body(head.lower(), data)
        if rest is None:
            break
        found.append(head.split(b" ")[0])
        data = rest
    return found


def _behind_body(head: bytes, data: bytes) -> bytes | None:
    if b"\r\ntransfer-encoding: chunked" in head:
        while b"\r\n" in data:
            size, _, data = data.partition(b"\r\n")
            count = int(size or b"0", 16)
            if len(data) < count + 2:
                return None
            data = data[count + 2 :]
            if count == 0:
                return data
        return None
    if b"\r\ncontent-length: " in head:
        size = int(head.split(b"\r\ncontent-length: ")[1].split(b"\r\n")[0])
        return data[size:] if len(data) >= size else None
    return data


@dataclass
class Lane:
    """One proxy and its recorder."""

    server: ProxyServer
    port: int
    trust: ssl.SSLContext
    answer: Callable[[Recorder], None] = answer_all
    recorders: list[Recorder] = field(default_factory=list)
    judged: list[tuple[RequestIdentity, Verdict]] = field(default_factory=list)
    activity: int = 0

    def clear(self) -> None:
        self.recorders = []
        self.judged = []

    async def ended(self) -> None:
        """Every connection of the case is closed."""
        async with asyncio.timeout(END_S):
            while self.server.connections or any(recorder.open for recorder in self.recorders):
                await asyncio.sleep(0.001)


@dataclass(frozen=True)
class Outcome:
    """What came of a case."""

    received: tuple[bytes, ...]
    """the exact bytes of each upstream connection that got any"""
    judged: tuple[tuple[RequestIdentity, Verdict], ...]
    said: bytes
    """what the client got, without the answer to its CONNECT"""

    @property
    def allowed(self) -> list[RequestIdentity]:
        return [identity for identity, verdict in self.judged if isinstance(verdict, Allow)]


class Line:
    """A client's connection through a lane's proxy."""

    def __init__(self, lane: Lane, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lane, self.reader, self.writer = lane, reader, writer
        self.said = bytearray()
        self.closed = False
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, lane: Lane, mode: Mode, connect: bytes = b"") -> Line | bytes:
        """The connection, or what the proxy said instead of opening the tunnel."""
        sock = socket.socket()
        sock.setblocking(False)
        # closed with a reset: a plain client's mere end would only mean that it asks nothing more
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", lane.port))
        line = cls(lane, *await asyncio.open_connection(sock=sock))
        if mode is Mode.DIRECT:
            line.listen()
            return line
        where = connect or HOST + (b":443" if mode is Mode.TLS else b":80")
        line.writer.write(b"CONNECT " + where + b" HTTP/1.1\r\nHost: " + where + b"\r\n\r\n")
        head = b""
        try:
            head = await line.reader.readuntil(b"\r\n\r\n")
            if mode is Mode.TLS:
                await line.writer.start_tls(lane.trust, server_hostname=HOST.decode())
        except (ConnectionError, asyncio.IncompleteReadError):
            line.writer.transport.abort()
            return head
        if not head.startswith(b"HTTP/1.1 200 "):
            line.writer.transport.abort()
            return head
        line.listen()
        return line

    def listen(self) -> None:
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while data := await self.reader.read(65536):
                self.said += data
                self.lane.activity += 1
        except (OSError, ssl.SSLError):
            pass
        self.closed = True
        self.lane.activity += 1

    def send(self, data: bytes) -> None:
        self.lane.activity += 1
        self.writer.write(data)

    async def settled(self) -> None:
        """Nobody says anything more, or the proxy has closed."""
        quiet, before = 0, self.lane.activity
        while not self.closed:
            await asyncio.sleep(QUIET_S)
            quiet, before = (quiet + 1 if self.lane.activity == before else 0), self.lane.activity
            if quiet >= (STUCK_TURNS if self.lane.server.active else QUIET_TURNS):
                return

    async def close(self) -> None:
        self.writer.transport.abort()
        if self._task is not None:
            await self._task
        await self.lane.ended()


class Sendable(Protocol):
    """What a lane can play: a mutated case or a control."""

    @property
    def mode(self) -> Mode: ...

    @property
    def pieces(self) -> tuple[bytes, ...]: ...


async def play(lane: Lane, case: Sendable) -> Outcome:
    """Send *case*; what reached the upstream, what was judged, what the client was told."""
    lane.clear()
    line = await Line.open(lane, case.mode, getattr(case, "connect", b""))
    if isinstance(line, bytes):
        await lane.ended()
        return Outcome((), tuple(lane.judged), line)
    for number, piece in enumerate(case.pieces):
        if number:
            await line.settled()
        if line.closed:
            break
        line.send(piece)
    await line.settled()
    await line.close()
    received = tuple(bytes(recorder.data) for recorder in lane.recorders if recorder.data)
    return Outcome(received, tuple(lane.judged), bytes(line.said))


T = TypeVar("T")
R = TypeVar("R")


class Arena(Generic[T, R]):
    """Plays many cases over all lanes."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes

    async def run(self, cases: Sequence[T], play_one: Callable[[Lane, T], Awaitable[R]]) -> list[R]:
        """An outcome for every case, in their order."""
        left = iter(enumerate(cases))
        out: dict[int, R] = {}

        async def work(lane: Lane) -> None:
            for number, case in left:
                out[number] = await play_one(lane, case)

        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(work(lane))
        return [out[number] for number in range(len(cases))]


@asynccontextmanager
async def lanes(count: int) -> AsyncIterator[list[Lane]]:
    """*count* lanes; every judgement of their proxies is noted beside the real one."""
    loop = asyncio.get_running_loop()
    authority, ours = CertificateAuthority.create(), CertificateAuthority.create()
    upstream_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_leaf(upstream_tls, authority.leaf(HOST.decode()))
    trust = ssl.create_default_context(cadata=ours.ca_pem)
    log_fd = os.open(os.devnull, os.O_WRONLY)
    by_policy: dict[int, Lane] = {}
    real = connection_module.decide

    def noted(policy: Any, identity: RequestIdentity, *, cut_off: bool = False) -> Verdict:
        verdict = real(policy, identity, cut_off=cut_off)
        by_policy[id(policy)].judged.append((identity, verdict))
        by_policy[id(policy)].activity += 1
        return verdict

    made: list[Lane] = []
    listeners: list[asyncio.Server] = []
    with mock.patch.object(connection_module, "decide", noted):
        for _ in range(count):
            lane = Lane.__new__(Lane)
            plain = await loop.create_server(lambda lane=lane: Recorder(lane), "127.0.0.1", 0)
            secure = await loop.create_server(
                lambda lane=lane: Recorder(lane), "127.0.0.1", 0, ssl=upstream_tls
            )
            listeners += [plain, secure]
            server, port = await _serve(ours, authority, log_fd, plain, secure)
            lane.__init__(server, port, trust)  # type: ignore[misc]
            by_policy[id(server._gateway.policy)] = lane
            made.append(lane)
        try:
            yield made
        finally:
            await asyncio.gather(*(lane.server.close() for lane in made))
            for listener in listeners:
                listener.close()
            os.close(log_fd)


async def _serve(
    ours: CertificateAuthority,
    theirs: CertificateAuthority,
    log_fd: int,
    plain: asyncio.Server,
    secure: asyncio.Server,
) -> tuple[ProxyServer, int]:
    ports = {80: plain.sockets[0].getsockname()[1], 443: secure.sockets[0].getsockname()[1]}
    options = ProxyOptions(
        POLICY,
        ours,
        log_fd,
        connect_to={(name, port): ("127.0.0.1", to) for name in NAMES for port, to in ports.items()},
        extra_ca_pem=theirs.ca_pem,
        limits=LIMITS,
    )
    server = ProxyServer(options)
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    await server.start(listener)
    return server, port


def run(main: Callable[[list[Lane]], Awaitable[R]], count: int) -> R:
    """*main* over *count* lanes, in a loop of its own."""

    async def whole() -> R:
        async with lanes(count) as made:
            return await main(made)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


def play_all(cases: Sequence[T], play_one: Callable[[Lane, T], Awaitable[R]]) -> list[R]:
    """An outcome for every case, in their order, over as many lanes as they are worth."""
    count = max(1, min(MOST_LANES, len(cases) // CASES_A_LANE))
    return run(lambda made: Arena[T, R](made).run(cases, play_one), count)
