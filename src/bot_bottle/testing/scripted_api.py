"""A fake model API on loopback: plays a script of turns and keeps every request that reached it.

What the fakes of all vendors share: the server, TLS under an authority of its own, the record, permits for
paced streams. It answers on one port; a vendor's module says what to which path. What it recorded is the
evidence: tests assert on it, not on a log of ours.
"""

from __future__ import annotations

import contextlib
import io
import json
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.tls import load_leaf
from bot_bottle.testing.model_api import Event, Turn
from bot_bottle.testing.websocket_server import TextConnection, switching

PERMIT_TIMEOUT_S = 60.0
"""A paced delta that nobody permits ends the stream: a test that deadlocks has to fail."""

MESSAGE = "message"
"""In the place of a method: a text message of a WebSocket, with the head of its handshake."""

IDLE_TIMEOUT_S = 60.0
"""Of a kept-alive connection, so that a forgotten client does not keep a thread."""


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived. Header names are lower case; a repeated one keeps all its values."""

    method: str
    target: str
    headers: Mapping[str, tuple[str, ...]]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """The value, None when absent; several are joined so that no comparison misses one."""
        values = self.headers.get(name.lower())
        return None if values is None else ", ".join(values)

    def json(self) -> Any:
        return json.loads(self.body)

    def contains(self, text: str) -> bool:
        """Whether *text* is anywhere in it: target, header names and values, body."""
        head = [self.target, *self.headers, *(value for values in self.headers.values() for value in values)]
        return any(text in part for part in head) or text.encode() in self.body


class ScriptedApi(ABC):
    """Use as a context manager. Turns are played in the order of the requests that ask the model."""

    model_paths: tuple[str, ...] = ()
    """where the model is asked"""

    def __init__(self, turns: Sequence[Turn], *, tls: bool, hosts: Sequence[str]) -> None:
        """*hosts*: those that its certificates name; which one is shown is the client's SNI's choice."""
        self._turns = list(turns)
        self._lock = threading.Condition()
        self._permits = 0
        self._closing = False
        self._requests: list[Recorded] = []
        self._sent: list[str] = []
        self._played = 0
        self._server = _Server(("127.0.0.1", 0), ApiClient)
        self._server.api = self
        self.port: int = self._server.server_address[1]
        self.ca_pem = ""
        if tls:
            authority = CertificateAuthority.create()
            self.ca_pem = authority.ca_pem
            # The handshake happens in the connection's own thread: a client that stalls blocks nobody.
            self._server.socket = _server_context(authority, hosts).wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection; afterwards no thread and no socket of the fake is left."""
        self._server.shutdown()
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def requests(self) -> tuple[Recorded, ...]:
        """Everything that arrived, in order of arrival."""
        with self._lock:
            return tuple(self._requests)

    @property
    def model_requests(self) -> tuple[Recorded, ...]:
        """Those that asked the model for an answer."""
        return tuple(
            request
            for request in self.requests
            if request.method in ("POST", MESSAGE) and request.path in self.model_paths
        )

    @property
    def sent_deltas(self) -> tuple[str, ...]:
        """The text of each content delta that went out to a client, or is about to."""
        with self._lock:
            return tuple(self._sent)

    @property
    def played(self) -> int:
        """How many turns of the script have been used."""
        with self._lock:
            return self._played

    def permit(self, deltas: int = 1) -> None:
        """Let that many further deltas of paced turns go out."""
        with self._lock:
            self._permits += deltas
            self._lock.notify_all()

    @abstractmethod
    def answer(self, request: Recorded, client: ApiClient) -> None:
        """Answer one request, already recorded."""

    # -- for the handler
    def record(self, request: Recorded) -> None:
        with self._lock:
            self._requests.append(request)

    def next_turn(self) -> tuple[int, Turn] | None:
        with self._lock:
            if self._played >= len(self._turns):
                return None
            self._played += 1
            return self._played, self._turns[self._played - 1]

    def await_permit(self) -> bool:
        with self._lock:
            self._lock.wait_for(lambda: self._permits > 0 or self._closing, PERMIT_TIMEOUT_S)
            if self._permits == 0 or self._closing:
                return False
            self._permits -= 1
            return True

    def note_sent(self, text: str) -> None:
        with self._lock:
            self._sent.append(text)


class ApiClient(BaseHTTPRequestHandler):
    """One connection of a client's; a vendor's module answers through it."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_S
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the record is the log."""

    def _serve(self) -> None:
        request = self._read()
        self.server.api.record(request)
        self.server.api.answer(request, self)

    def _read(self) -> Recorded:
        headers: dict[str, tuple[str, ...]] = {}
        for name, value in self.headers.items():
            headers[name.lower()] = (*headers.get(name.lower(), ()), value)
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            body = self._read_chunked()
        else:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
        return Recorded(self.command, self.path, headers, body)

    def _read_chunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def stream(self, events: Iterable[Event], headers: Mapping[str, str], limit: int | None = None) -> None:
        """Server-sent events; the connection is closed after *limit* of them, or when no permit comes."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("cache-control", "no-cache")
        self.send_header("transfer-encoding", "chunked")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for count, event in enumerate(events):
            if count == limit or (event.waits and not self.server.api.await_permit()):
                self.close_connection = True
                return
            if event.delta is not None:
                self.server.api.note_sent(event.delta)
            data = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def converse(self, request: Recorded, answer: Callable[[Recorded, TextConnection], None]) -> None:
        """Take up the WebSocket that *request* asks for; each text is recorded and answered."""
        self.close_connection = True
        self.wfile.write(switching(request.header("sec-websocket-key") or ""))
        reader = cast(io.BufferedReader, self.rfile)
        connection = TextConnection(lambda: reader.read1(65536), self.connection.sendall)
        while (text := connection.receive()) is not None:
            message = Recorded(MESSAGE, request.target, request.headers, text.encode())
            self.server.api.record(message)
            answer(message, connection)

    def say(self, connection: TextConnection, events: Iterable[Event], limit: int | None = None) -> None:
        """*events* as messages, each its JSON; the connection is broken off after *limit* of them."""
        for count, event in enumerate(events):
            if count == limit or (event.waits and not self.server.api.await_permit()):
                raise ConnectionResetError("broken off, as the script has it")
            if event.delta is not None:
                self.server.api.note_sent(event.delta)
            connection.send(json.dumps(event.data))

    def reply(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """A whole JSON answer."""
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for every connection's thread
    request_queue_size = 128
    api: ScriptedApi

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._connections_lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Wake every thread that reads from or writes to a client."""
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error of ours."""


def _server_context(authority: CertificateAuthority, hosts: Sequence[str]) -> ssl.SSLContext:
    contexts = {host: _context(authority, host) for host in hosts}

    def choose(wrapped: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name in contexts:
            wrapped.context = contexts[name]

    first = _context(authority, hosts[0])
    first.sni_callback = choose
    return first


def _context(authority: CertificateAuthority, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load_leaf(context, authority.leaf(host))
    return context
