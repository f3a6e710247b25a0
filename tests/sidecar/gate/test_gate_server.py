"""What a hostile client can do to the gate's server: everything that is not git's own is refused, nothing stays open.

Clients are raw sockets; the gate is a process of its own where it matters, else the server with a small application.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import socket
import time
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import git_ground
import pytest
from gate_ground import GateGround

from bot_bottle.sidecar.gate import server
from bot_bottle.sidecar.gate.server import BadBody, GateServer, Limits

FETCH = b"application/x-git-upload-pack-request"


def ask(port: int, data: bytes, *, finish: bool = False) -> bytes:
    """The whole answer to *data*, until the server closes or says no more for a while."""
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(data)
        if finish:
            sock.shutdown(socket.SHUT_WR)
        got = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while piece := sock.recv(65536):
                got += piece
                sock.settimeout(2)
        return got


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: gate", "Connection: close", *fields, "", ""]).encode()


def post(path: str, body: bytes, *fields: str, content_type: bytes = FETCH) -> bytes:
    head = [
        f"POST {path} HTTP/1.1",
        "Host: gate",
        "Connection: close",
        f"Content-Type: {content_type.decode()}",
    ]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", *fields, "", ""]).encode() + body


@pytest.fixture
def served(gate_ground: GateGround) -> tuple[GateGround, git_ground.Repository]:
    repository = gate_ground.add()
    gate_ground.start()
    return gate_ground, repository


def test_only_gits_own_targets_are_answered(served: tuple[GateGround, git_ground.Repository]) -> None:
    """404 for every other path, of this repository's too; 405 for another method."""
    gate, repository = served
    name = repository.path.name
    good = f"/{name}/info/refs?service=git-upload-pack"
    assert status(ask(gate.port, get(good))) == 200
    for path in (
        "/", f"/{name}", f"/{name}/", f"/{name}/HEAD", f"/{name}/config", f"/{name}/info/refs",
        f"/{name}/info/refs?service=git-upload-archive", f"{good}&x=1", f"{good}%20", f"/{name}/objects/info/packs",
        f"/{name}/objects/00/{'0' * 38}", f"/../{name}/info/refs?service=git-upload-pack",
        f"/%2e%2e/mirrors/{name}/info/refs?service=git-upload-pack", f"//{name}/info/refs?service=git-upload-pack",
        f"/{name}/../{name}/info/refs?service=git-upload-pack",
        f"/{name.replace('o', '%6f')}/info/refs?service=git-upload-pack",
        f"/{name.upper()}/info/refs?service=git-upload-pack", "/other.git/info/refs?service=git-upload-pack",
        f"/{name}/git-upload-pack?x", f"/{name}/git-receive-pack/", f"http://gate{good}", "*",
    ):  # fmt: skip
        assert status(ask(gate.port, get(path))) == 404, path
    assert status(ask(gate.port, post(good, b""))) == 405
    assert status(ask(gate.port, get(f"/{name}/git-upload-pack"))) == 405
    assert status(ask(gate.port, get(good).replace(b"GET", b"HEAD"))) == 405
    assert (
        status(ask(gate.port, post(f"/{name}/git-upload-pack", b"0000", content_type=b"text/plain"))) == 415
    )
    assert status(ask(gate.port, get(good))) == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000,
        b"\r\n" * 1000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ],
)
def test_garbage_is_refused_and_leaves_nothing_in_the_log(
    served: tuple[GateGround, git_ground.Repository], garbage: bytes
) -> None:
    gate, repository = served
    before = gate.said()
    assert status(ask(gate.port, garbage, finish=True)) in (0, 400, 404)
    assert gate.said() == before
    assert gate.git("ls-remote", gate.url(repository)).returncode == 0


def test_no_answer_names_the_server(served: tuple[GateGround, git_ground.Repository]) -> None:
    gate, repository = served
    for path in ("/", f"/{repository.path.name}/info/refs?service=git-upload-pack"):
        head = ask(gate.port, get(path)).partition(b"\r\n\r\n")[0].lower()
        assert b"server:" not in head and b"uvicorn" not in head and b"date:" not in head


@pytest.mark.slow
def test_a_flood_of_connections_neither_stops_nor_grows_it(
    served: tuple[GateGround, git_ground.Repository],
) -> None:
    """A thousand that never ask: the next client is served, and descriptors are given back."""
    gate, repository = served
    assert gate.git("ls-remote", gate.url(repository)).returncode == 0
    before = gate.memory_bytes()
    flood = [socket.create_connection(("127.0.0.1", gate.port), 20) for _ in range(1000)]
    try:
        for sock in flood[::2]:
            with contextlib.suppress(OSError):
                sock.sendall(b"GET /x HTTP/1.1\r\nHost:")
        assert gate.git("ls-remote", gate.url(repository)).returncode == 0
        descriptors = len(list(Path(f"/proc/{gate.pid}/fd").iterdir()))
        assert descriptors < 400
    finally:
        for sock in flood:
            sock.close()
    assert gate.git("ls-remote", gate.url(repository)).returncode == 0
    assert gate.memory_bytes() - before < 32 * 2**20


def test_gzip_bodies_and_chunks_are_read(served: tuple[GateGround, git_ground.Repository]) -> None:
    """As git sends them."""
    gate, repository = served
    path = f"/{repository.path.name}/git-upload-pack"
    body = b"0014command=ls-refs\n0000"
    ask(gate.port, get(f"/{repository.path.name}/info/refs?service=git-upload-pack"))
    plain = ask(gate.port, post(path, body, "Git-Protocol: version=2"))
    assert status(plain) == 200 and b"refs/heads/main" in plain
    coded = ask(
        gate.port, post(path, gzip.compress(body), "Git-Protocol: version=2", "Content-Encoding: gzip")
    )
    assert status(coded) == 200 and b"refs/heads/main" in coded
    head = post(path, b"", "Git-Protocol: version=2").replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked"
    )
    chunks = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in body) + b"0\r\n\r\n"
    assert b"refs/heads/main" in ask(gate.port, head + chunks)
    assert status(ask(gate.port, post(path, body, "Content-Encoding: br"))) == 415


@pytest.mark.slow
def test_a_body_that_is_not_what_it_says_is_refused(
    served: tuple[GateGround, git_ground.Repository],
) -> None:
    """git notices the end that is missing only when its time is over."""
    gate, repository = served
    path = f"/{repository.path.name}/git-upload-pack"
    body = gzip.compress(b"0014command=ls-refs\n0000")
    ask(gate.port, get(f"/{repository.path.name}/info/refs?service=git-upload-pack"))
    for bad in (b"not gzip", body[:-3], body + b"more"):
        refused = ask(gate.port, post(path, bad, "Git-Protocol: version=2", "Content-Encoding: gzip"))
        assert status(refused) in (0, 400), bad


def test_100_continue_is_said(served: tuple[GateGround, git_ground.Repository]) -> None:
    """curl waits for it before it sends a large push."""
    gate, repository = served
    body = b"0014command=ls-refs\n0000"
    ask(gate.port, get(f"/{repository.path.name}/info/refs?service=git-upload-pack"))
    data = post(
        f"/{repository.path.name}/git-upload-pack", body, "Git-Protocol: version=2", "Expect: 100-continue"
    )
    with socket.create_connection(("127.0.0.1", gate.port), 20) as sock:
        sock.sendall(data[: -len(body)])
        assert sock.recv(65536).startswith(b"HTTP/1.1 100 ")
        sock.sendall(body)
        got = b""
        while piece := sock.recv(65536):
            got += piece
    assert b"refs/heads/main" in got


# -- the server alone, with small limits

Client = Callable[[int], Awaitable[None]]


def serve(app: server.App, client: Client, limits: Limits) -> GateServer:
    async def both() -> GateServer:
        gate = GateServer(app, limits)
        listener = socket.create_server(("127.0.0.1", 0))
        await gate.start(listener)
        try:
            await client(listener.getsockname()[1])
        finally:
            await gate.close()
        return gate

    return asyncio.run(both())


async def hello(scope: server.Scope, receive: server.Receive, send: server.Send) -> None:
    await server.answer(send, 200, "hello")


@pytest.mark.parametrize("first", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"])
def test_a_head_that_takes_too_long_closes_the_connection(first: bytes) -> None:
    """A byte now and then does not keep it open, neither at its start nor after an answer."""

    async def client(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 20:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
                if reader.at_eof():
                    break
        assert time.monotonic() - started < 20
        writer.close()

    serve(hello, client, Limits(head_s=0.3, idle_s=1.0))


def test_over_the_bound_the_connection_that_was_idle_longest_is_closed() -> None:
    async def client(port: int) -> None:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.1)
        pairs.append(await asyncio.open_connection("127.0.0.1", port))
        reader, writer = pairs[-1]
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(pairs[0][0].read(), 10) == b""
        pairs[1][1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await pairs[1][0].readline()).startswith(b"HTTP/1.1 200")
        for _, writer in pairs:
            writer.close()

    serve(hello, client, Limits(connections=3))


def test_a_body_that_nobody_wants_is_not_waited_for() -> None:
    """It is announced and never sent, or never ends: the answer comes all the same."""
    limits = Limits(discard_s=0.3, discarded_bytes=1000)

    async def app(scope: server.Scope, receive: server.Receive, send: server.Send) -> None:
        await server.discard(receive, limits)
        await server.answer(send, 404, "no", (b"connection", b"close"))

    async def client(port: int) -> None:
        for sent in (b"", b"x" * 5000):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + sent)
            assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 404")
            writer.close()

    serve(app, client, limits)


def test_a_client_that_leaves_is_noticed() -> None:
    """Also one that only stops sending: nobody works on for it."""
    left = []

    async def app(scope: server.Scope, receive: server.Receive, send: server.Send) -> None:
        async for _ in server.pieces(receive):
            pass
        try:
            await asyncio.wait_for(server.gone(receive), 10)
        except server.ClientGone:
            left.append(scope["path"])

    async def client(port: int) -> None:
        for path in (b"/closed", b"/half"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.2)
            if path == b"/half":
                writer.write_eof()
                await asyncio.sleep(0.3)
            writer.close()
            await asyncio.sleep(0.3)

    serve(app, client, Limits())
    assert left == ["/closed", "/half"]


def test_a_reader_that_stops_stops_the_writer() -> None:
    """Back-pressure: what can't be sent is not made."""
    sent = 0

    async def app(scope: server.Scope, receive: server.Receive, send: server.Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
            sent += 65536

    async def client(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=65536)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(1)
        writer.close()

    serve(app, client, Limits())
    assert 0 < sent < 32 * 2**20


async def _all(body: bytes, coding: bytes, limit: int, piece: int = 7) -> bytes:
    async def parts() -> server.AsyncIterator[bytes]:
        for at in range(0, len(body), piece):
            yield body[at : at + piece]

    return b"".join([each async for each in server.plain(parts(), coding, limit)])


def test_bodies_without_their_coding() -> None:
    """What goes in comes out, whatever the pieces; a bomb ends at its limit."""
    body = bytes(range(256)) * 40
    for piece in (1, 7, 4096):
        assert asyncio.run(_all(gzip.compress(body), b"gzip", len(body), piece)) == body
        assert asyncio.run(_all(body, b"", len(body), piece)) == body
    bomb = gzip.compress(bytes(50 * 2**20))
    for data, coding, limit, expected in (
        (bomb, b"gzip", 2**20, 413),
        (body, b"", len(body) - 1, 413),
        (gzip.compress(body)[:-1], b"gzip", 10**6, 400),
        (zlib.compress(body), b"gzip", 10**6, 400),
        (gzip.compress(body) * 2, b"gzip", 10**6, 400),
        (body, b"deflate", 10**6, 415),
    ):
        with pytest.raises(BadBody) as caught:
            asyncio.run(_all(data, coding, limit, 4096))
        assert caught.value.status == expected


def test_uvicorn_says_nothing(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    async def client(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\0\r\n\r\n")
        await reader.read()
        writer.close()

    async def broken(scope: server.Scope, receive: server.Receive, send: server.Send) -> None:
        raise ValueError("its text")

    serve(broken, client, Limits())
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []
