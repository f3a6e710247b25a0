"""A scripted upstream on loopback, for tests and ``try``: plain HTTP or TLS under a CA of its own.

It records the exact bytes of every connection and, beside them, the requests that a *lenient* parser sees in
them: whatever a careless server would take for a request counts as one. It judges nothing.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.tls import load_leaf

ACCEPT_POLL_S = 0.05
SOCKET_TIMEOUT_S = 20.0
"""A test that waits longer has failed."""


@dataclass(frozen=True)
class RecordedRequest:
    """One request as the upstream read it. Header names as received."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    """number of the connection that it came over, from 0"""
    sni: str | None = None
    """of that connection's ClientHello; None: plain, or none sent"""

    def header(self, name: str) -> str | None:
        """The first value of *name*."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        """Every value of *name*."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class UpstreamConnection:
    """What a responder answers on: bytes out as they are, bytes in, ends."""

    def __init__(self, sock: socket.socket, number: int, sni: str | None, record: bytearray) -> None:
        self.number = number
        self.sni = sni
        self._sock = sock
        self._record = record
        self._ahead = b""
        self.open = True

    def send(self, data: bytes) -> None:
        """Send *data* at once."""
        self._sock.sendall(data)

    def reply(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        reason: str = "OK",
    ) -> None:
        """A whole response with ``Content-Length``."""
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
        lines.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)

    def read(self, size: int = 65536) -> bytes:
        """What comes next, at most *size*; b"" at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        data = self._sock.recv(size)
        self._record += data
        return data

    def unread(self, data: bytes) -> None:
        self._ahead = data + self._ahead

    def close(self) -> None:
        """End in good order: close_notify where there is TLS, then FIN."""
        self.open = False
        if isinstance(self._sock, ssl.SSLSocket):
            try:
                self._sock.settimeout(0.2)
                self._sock.unwrap()
            except (OSError, ValueError):
                pass
        self._shut()

    def cut(self) -> None:
        """FIN without close_notify."""
        self.open = False
        self._shut()

    def reset(self) -> None:
        """RST."""
        self.open = False
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self._sock.close()

    def _shut(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()


Responder = Callable[[RecordedRequest, UpstreamConnection], None]


def ok(request: RecordedRequest, connection: UpstreamConnection) -> None:
    """200 with a small body; the default."""
    connection.reply(200, b"" if request.method == "HEAD" else b"hello", [("Content-Type", "text/plain")])


@dataclass
class FakeUpstream:
    """A context manager; serves from ``__enter__`` on, each connection in a thread.

    With TLS any SNI is answered with a matching certificate, unless ``certificate_for`` is set.
    """

    responder: Responder = ok
    tls: bool = True
    certificate_for: str | None = None
    """TLS: show this host's certificate whatever the SNI says"""
    address: str = "127.0.0.1"
    read_bodies: bool = True
    """False: the responder is called after the head and reads the body itself"""
    alpn: Sequence[str] = ("h2", "http/1.1")
    """offered, so that a test sees who takes it; HTTP/2 is not spoken"""
    requests: list[RecordedRequest] = field(default_factory=list)
    received: list[bytearray] = field(default_factory=list)
    """the exact plain bytes of each connection"""
    failures: list[str] = field(default_factory=list)
    """handshakes that failed, responders that raised"""

    def __post_init__(self) -> None:
        self._authority = CertificateAuthority.create()
        self._listener = socket.create_server((self.address, 0), backlog=512)
        self._listener.settimeout(ACCEPT_POLL_S)
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        """connections, whether they sent anything or not"""
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def ca_pem(self) -> str:
        """What a client has to trust."""
        return self._authority.ca_pem

    @property
    def raw(self) -> bytes:
        """All plain bytes of all connections."""
        with self._lock:
            return b"".join(bytes(part) for part in self.received)

    def __enter__(self) -> FakeUpstream:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the listener and every connection, and wait for the threads."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(
                socket.SHUT_RDWR
            )  # wakes who waits for a connection: a close alone does not
        with self._lock:
            sockets = list(self._open)
        for sock in sockets:
            try:
                # not the TLS object's own, which from then on would read what is encrypted as it is
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(SOCKET_TIMEOUT_S)
        self._listener.close()

    def _spawn(self, call: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=call, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            sock.settimeout(SOCKET_TIMEOUT_S)
            with self._lock:
                number = self.accepted
                self.accepted += 1
                self.received.append(bytearray())
                self._open.add(sock)
            self._spawn(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        sni: str | None = None
        try:
            if self.tls:
                plain = sock
                sock, sni = self._handshake(sock)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(sock)
            connection = UpstreamConnection(sock, number, sni, self.received[number])
            while connection.open and not self._over.is_set():
                request = self._read_request(connection)
                if request is None:
                    break
                self.responder(request, connection)
        except (OSError, ValueError) as error:
            if not (self._over.is_set() and isinstance(error, OSError)):  # that end is our own
                self.failures.append(f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _handshake(self, sock: socket.socket) -> tuple[socket.socket, str | None]:
        seen: list[str | None] = []

        def named(wrapped: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            seen.append(name)
            if self.certificate_for is None and name is not None:
                wrapped.context = self._context(name)

        first = self._context(self.certificate_for or self.address)
        first.sni_callback = named
        return first.wrap_socket(sock, server_side=True), seen[0] if seen else None

    def _context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(list(self.alpn))
        load_leaf(context, self._authority.leaf(host))
        return context

    def _read_request(self, connection: UpstreamConnection) -> RecordedRequest | None:
        data = b""
        while True:
            ends = [(data.find(mark), len(mark)) for mark in (b"\r\n\r\n", b"\n\n", b"\n\r\n")]
            found = min((end for end in ends if end[0] >= 0), default=None)
            if found is not None:
                break
            more = connection.read()
            if not more:
                return None
            data += more
        head, rest = data[: found[0]], data[found[0] + found[1] :]
        connection.unread(rest)
        lines = head.replace(b"\r\n", b"\n").decode("latin-1").split("\n")
        words = [*lines[0].split(" ", 2), "", ""][:3]
        pairs = [line.partition(":") for line in lines[1:]]
        headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
        body = self._read_body(headers, connection) if self.read_bodies else b""
        request = RecordedRequest(
            words[0], words[1], words[2], headers, body, connection.number, connection.sni
        )
        with self._lock:
            self.requests.append(request)
        return request

    def _read_body(self, headers: tuple[tuple[str, str], ...], connection: UpstreamConnection) -> bytes:
        fields = {name.lower(): value for name, value in headers}
        if "chunked" in fields.get("transfer-encoding", ""):
            return self._read_chunks(connection)
        length = int(fields.get("content-length", "0") or "0")
        body = bytearray()
        while len(body) < length:
            piece = connection.read(length - len(body))
            if not piece:
                raise ValueError("the body was cut")
            body += piece
        return bytes(body)

    def _read_chunks(self, connection: UpstreamConnection) -> bytes:
        body = bytearray()
        while True:
            size = int(self._line(connection).split(b";")[0], 16)
            if size == 0:
                while self._line(connection):
                    pass
                return bytes(body)
            while size:
                piece = connection.read(size)
                if not piece:
                    raise ValueError("the body was cut")
                body += piece
                size -= len(piece)
            self._line(connection)

    @staticmethod
    def _line(connection: UpstreamConnection) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            byte = connection.read(1)
            if not byte:
                raise ValueError("the body was cut")
            line += byte
        return line.rstrip(b"\r\n")
