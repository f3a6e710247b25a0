"""The gate's HTTP: git's smart protocol for the repositories of one bottle, and 404 for all else.

uvicorn's connection class does HTTP/1.1 over a plain ASGI application; its server, signals and logs are not used.
Requests are known by their whole target, byte for byte: nothing is decoded, joined or cleaned, so no path leads
anywhere. Everything that a client could leave open has a limit; whoever is over one is told, or closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn.config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Limits:
    """What one bottle can make its gate hold."""

    connections: int = 256
    """open at once; over it the one that has been idle longest is closed"""
    requests: int = 32
    """in progress; over it 503"""
    head_bytes: int = 32 * 1024
    head_s: float = 30.0
    """from a connection's opening, or a further request's first byte, to the end of its head"""
    idle_s: float = 75.0
    """a kept connection without a request"""
    drain_s: float = 5.0
    """what is in progress may end after SIGTERM"""
    discarded_bytes: int = 64 * 1024 * 1024
    """of a body that nobody wants, read so that the answer is"""
    discard_s: float = 5.0
    """for these"""


DEFAULT_LIMITS = Limits()
BACKLOG = 256


class ClientGone(Exception):
    """The client has closed its connection; nobody is there to answer."""


class BadBody(Exception):
    """What was sent is not what it is said to be, or too much."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Connection(H11Protocol):
    """One client. Adds to uvicorn's: a bound on how long a head may take, and on how many connections there are."""

    def __init__(self, config: uvicorn.config.Config, state: ServerState, limits: Limits) -> None:
        super().__init__(config, state, {})
        self._limits = limits
        self._head_timer: asyncio.TimerHandle | None = None
        self.since = time.monotonic()

    @property
    def is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            idle = [each for each in self.connections if isinstance(each, _Connection) and each.is_idle]
            min(idle, key=lambda each: each.since).abort()
        self._time_head()

    def data_received(self, data: bytes) -> None:
        if self.is_idle:
            self._time_head()
        super().data_received(data)
        if not self.is_idle:
            self._stop_timing()

    def on_response_complete(self) -> None:
        self.since = time.monotonic()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timing()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
        self.connections.discard(self)

    def _time_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.head_s, self._late)

    def _stop_timing(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._head_timer = None
        if self.is_idle:
            self.abort()


class GateServer:
    """Serves *app* on a listener, in the running loop."""

    def __init__(self, app: App, limits: Limits = DEFAULT_LIMITS) -> None:
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
            quiet = logging.getLogger(name)
            quiet.handlers, quiet.propagate = (
                [logging.NullHandler()] if name == "uvicorn.error" else [],
                False,
            )
        self._limits = limits
        self._state = ServerState()
        self._config = uvicorn.config.Config(
            app,
            http=H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=int(limits.idle_s),
            h11_max_incomplete_event_size=limits.head_bytes,
        )
        self._config.load()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve on *listener* (Unix or TCP) from now on; it is closed by :meth:`close`."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        make = self._connection
        if listener.family == socket.AF_UNIX:
            self._server = await loop.create_unix_server(make, sock=listener, backlog=BACKLOG)
        else:
            self._server = await loop.create_server(make, sock=listener, backlog=BACKLOG)

    def _connection(self) -> _Connection:
        return _Connection(self._config, self._state, self._limits)

    @property
    def connections(self) -> int:
        return len(self._state.connections)

    async def drain(self) -> None:
        """Take no further connection; what is in progress may end within ``drain_s``."""
        if self._server is not None:
            self._server.close()
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks), timeout=self._limits.drain_s)

    async def close(self) -> None:
        """End everything now."""
        if self._server is not None:
            self._server.close()
        tasks = set(self._state.tasks)
        for task in tasks:
            task.cancel()
        for connection in list(self._state.connections):
            if isinstance(connection, _Connection):
                connection.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


async def answer(send: Send, status: int, text: str, *extra: tuple[bytes, bytes]) -> None:
    """A whole answer in plain text: git prints its lines after ``remote:``."""
    body = text.encode() + b"\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *extra]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """A request's body as it comes. Raises :class:`ClientGone`."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        if message["body"]:
            yield message["body"]


async def gone(receive: Receive) -> None:
    """Wait until the client has left, after its whole body; then raise :class:`ClientGone`."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientGone


async def discard(receive: Receive, limits: Limits = DEFAULT_LIMITS) -> None:
    """Read a body that nobody wants, up to a bound."""
    size = 0
    with contextlib.suppress(ClientGone, TimeoutError):
        async with asyncio.timeout(limits.discard_s):
            async for piece in pieces(receive):
                size += len(piece)
                if size > limits.discarded_bytes:
                    return


async def plain(body: AsyncIterator[bytes], coding: bytes, limit: int) -> AsyncIterator[bytes]:
    """*body* without its content coding. Raises :class:`BadBody` for more than *limit* bytes, as they come out and as
    they go in, for another coding than gzip, and for what is not whole."""
    if coding in (b"", b"identity"):
        total = 0
        async for piece in body:
            total += len(piece)
            if total > limit:
                raise BadBody(413, f"a request may have {limit} bytes")
            yield piece
    elif coding in (b"gzip", b"x-gzip"):
        async for piece in _inflated(body, limit):
            yield piece
    else:
        raise BadBody(415, "bodies may be coded as gzip only")


async def _inflated(body: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    total = 0
    async for coded in body:
        while coded:
            if inflate.eof:
                raise BadBody(400, "the body goes on after its end")
            try:
                piece = inflate.decompress(coded, 2**16)
            except zlib.error:
                raise BadBody(400, "the body is no gzip") from None
            coded = inflate.unconsumed_tail or inflate.unused_data
            total += len(piece)
            if total > limit:
                raise BadBody(413, f"a request may have {limit} bytes")
            if piece:
                yield piece
    if not inflate.eof:
        raise BadBody(400, "the body has no end")
