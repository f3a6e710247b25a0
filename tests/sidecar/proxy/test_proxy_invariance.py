"""Invariant: however the client's bytes are cut into pieces, verdicts and upstream bytes are the same.

The real connection and exchange, over transports in memory.
"""

from __future__ import annotations

import asyncio
import os
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.base.secret import Secret
from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.match import compile_policy
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.connection import ClientConnection
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.sidecar.proxy.log import EventLog
from bot_bottle.sidecar.proxy.tls import LeafContexts
from bot_bottle.sidecar.proxy.turns import Turns
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.sidecar.proxy.write import Credentials

LIMITS = Limits(head_bytes=600, request_line_bytes=120, held_bytes=1 << 20)
POLICY = compile_policy(load_policy("routes:\n  - host: a.example\n    matches: [{paths: [{value: /ok}]}]\n"))
AUTHORITY = CertificateAuthority.create()


class Wire(asyncio.Transport):
    """A transport that keeps what is written; *answer* is told of it once the loop turns."""

    def __init__(self, answer: Any = None) -> None:
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
    """Opens upstreams in memory that answer every bodyless request with 200."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []

    async def open(self, key: Any, route: Any) -> Upstream:
        upstream = Upstream(key, None, LIMITS, Turns())
        answered = 0

        def answer() -> None:
            nonlocal answered
            while answered < requests_in(bytes(wire.written)) and upstream.flow is not None:
                answered += 1
                upstream.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        wire = Wire(answer)
        self.wires.append(wire)
        upstream.connection_made(wire)
        return upstream


def requests_in(data: bytes) -> int:
    """Whole requests, as a plain server counts them."""
    count = 0
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        body, data = split_body(head, data)
        if body is None:
            break
        count += 1
    return count


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


async def outcome(pieces: list[bytes]) -> tuple[bytes, list[list[tuple[bytes, bytes]]], bool]:
    """What the client got, what each upstream got, whether the connection is closed."""
    log = EventLog(os.open(os.devnull, os.O_WRONLY), Limits(log_lines_per_s=1))
    dialer: Any = Dialer()
    gateway = Gateway(
        POLICY, Credentials({"X": Secret("x")}), LeafContexts(AUTHORITY), dialer, log, limits=LIMITS
    )
    connection = ClientConnection(gateway)
    wire = Wire()
    connection.connection_made(wire)
    for piece in pieces:
        connection.data_received(piece)
        await turn()
    await turn()
    said = bytes(wire.written)
    state = (said, [canonical(bytes(w.written)) for w in dialer.wires], connection._stage.name == "LINGER")
    connection.connection_lost(None)
    await asyncio.sleep(0)
    os.close(log._fd)
    assert gateway.active == 0
    return state


async def turn() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def play(pieces: list[bytes]) -> Any:
    with asyncio.Runner() as runner:
        return runner.run(outcome(pieces))


def request(target: bytes, *lines: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    head = [method + b" http://a.example" + target + b" HTTP/1.1", b"Host: a.example", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


ALLOWED = request(b"/ok/a", b"X-A: b")
DENIED = request(b"/no")
LENGTH = request(b"/ok", b"Content-Length: 11", method=b"POST", body=b"hello world")
CHUNKED = request(
    b"/ok",
    b"Transfer-Encoding: chunked",
    method=b"PUT",
    body=b"5\r\nhello\r\nb\r\n world 1234\r\n0\r\nT: x\r\n\r\n",
)
DENIED_BODY = request(b"/no", b"Content-Length: 30", method=b"POST", body=ALLOWED[:30])
BAD_CHUNK = request(
    b"/ok", b"Transfer-Encoding: chunked", method=b"PUT", body=b"5\r\nhello\r\n5;x\r\nworld\r\n0\r\n\r\n"
)
STREAMS = {
    "allowed": ALLOWED,
    "denied": DENIED,
    "length": LENGTH,
    "chunked": CHUNKED,
    "allowed, denied, allowed": ALLOWED + DENIED + ALLOWED,
    "denied with a body, allowed": DENIED_BODY + ALLOWED,
    "length, chunked, length": LENGTH + CHUNKED + LENGTH,
    "chunked, denied": CHUNKED + DENIED,
    "bad chunk, allowed": BAD_CHUNK + ALLOWED,
    "long line": request(b"/ok/" + b"a" * 200) + ALLOWED,
    "long head": request(b"/ok", b"X: " + b"a" * 700) + ALLOWED,
    "long line and head": request(b"/ok/" + b"a" * 200, b"X: " + b"a" * 700) + ALLOWED,
    "bare LF, long head": ALLOWED[:-4] + b"\nX: " + b"a" * 700 + b"\r\n\r\n",
    "LF LF": b"GET http://a.example/ok HTTP/1.1\nHost: a.example\n\n" + ALLOWED,
    "CR LF LF": ALLOWED[:-2] + b"\n" + ALLOWED,
    "length and chunked": request(b"/ok", b"Content-Length: 3", b"Transfer-Encoding: chunked") + ALLOWED,
    "obs-fold": request(b"/ok", b"X: a\r\n b") + ALLOWED,
    "nonsense": b"\x00\x01\x02\r\n\r\n" + ALLOWED,
    "empty line": b"\r\n" + ALLOWED,
}


@pytest.mark.parametrize("name", STREAMS)
def test_one_byte_at_a_time_is_the_same_as_all_at_once(name):
    data = STREAMS[name]
    assert play([bytes([byte]) for byte in data]) == play([data])


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 3000), max_size=8))
def test_any_split_is_the_same_as_all_at_once(name, cuts):
    data = STREAMS[name]
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert play(pieces) == play([data])


def test_the_streams_do_what_their_names_say():
    """The comparison is worth something: some pass, some are refused."""
    statuses = {
        name: [int(part[:3]) for part in play([data])[0].split(b"HTTP/1.1 ")[1:]]
        for name, data in STREAMS.items()
    }
    assert statuses["allowed, denied, allowed"] == [200, 403, 200]
    assert statuses["denied with a body, allowed"] == [403, 200]
    assert statuses["length, chunked, length"] == [200, 200, 200]
    assert statuses["long line and head"] == [414]
    assert statuses["long head"] == [431]
    assert statuses["LF LF"] == statuses["nonsense"] == statuses["bad chunk, allowed"] == [403]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_noise_never_reaches_an_upstream(noise, cut):
    """Random bytes, whole or in two pieces: nothing is dialled."""
    for pieces in ([noise], [noise[:cut], noise[cut:]]):
        assert play([piece for piece in pieces if piece])[1] == []
