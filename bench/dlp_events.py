"""Server-sent events through a proxy: how long after the upstream wrote each of them it is with the client.

Origin and client are threads of one process with one clock; an event carries when it was written.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proxies import ADDRESS, HOST, Proxy

from bot_bottle.sidecar.proxy.ca import CertificateAuthority

EVENTS = 20
GAP_S = 0.002
"""between two events; a model writes some 100 in a second"""
_WRITTEN = re.compile(rb'"at":(\d+)')
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_ASK = (
    b"GET /v1/events HTTP/1.1\r\nHost: %b\r\nAccept: text/event-stream\r\nUser-Agent: load/1.0\r\n"
    b"Authorization: Bearer placeholder\r\n\r\n"
)


@dataclass(frozen=True)
class Latency:
    """Of one stream, in microseconds: from the request to its first event, and of each event from written to read."""

    first_us: float
    event_us: list[float]


def _event(number: int) -> bytes:
    text = "Then the parser reads the next chunk of the window, and the cursor moves on. "
    at = time.monotonic_ns()
    data = (
        f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":0,"at":{at},'
        f'"delta":{{"type":"text_delta","text":"{number}: {text}"}}}}\n\n'
    ).encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def _serve(connection: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError), connection:
        held = b""
        while True:
            while b"\r\n\r\n" not in held:
                data = connection.recv(65536)
                if not data:
                    return
                held += data
            held = held.partition(b"\r\n\r\n")[2]
            connection.sendall(_HEAD + _event(0))
            for number in range(1, EVENTS):
                time.sleep(GAP_S)
                connection.sendall(_event(number))
            connection.sendall(b"0\r\n\r\n")


@contextlib.contextmanager
def origin(directory: Path) -> Iterator[tuple[int, Path]]:
    """Its port, and the file with the roots of its certificate, until the block ends."""
    authority = CertificateAuthority.create()
    leaf = authority.leaf(HOST)
    ca, both = directory / "events-ca.pem", directory / "events.pem"
    ca.write_text(authority.ca_pem)
    both.write_bytes(leaf.key_pem + leaf.chain_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    over = threading.Event()
    with socket.create_server((ADDRESS, 0)) as listener:

        def accept() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):
                    plain, _ = listener.accept()
                    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    shaken = context.wrap_socket(plain, server_side=True)
                    threading.Thread(target=_serve, args=(shaken,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1], ca
        finally:
            over.set()


@contextlib.contextmanager
def asking(proxy: Proxy, port: int) -> Iterator[ssl.SSLSocket]:
    """A connection to the origin through *proxy*, or, where that has no port, straight to *port*."""
    plain = socket.create_connection((ADDRESS, proxy.port or port), 20)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if proxy.port:
        plain.sendall(b"CONNECT %b:443 HTTP/1.1\r\nHost: %b:443\r\n\r\n" % (HOST.encode(), HOST.encode()))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += plain.recv(1024)
        if b" 200" not in answer.partition(b"\r\n")[0]:
            raise RuntimeError(f"{proxy.name}: {answer!r}")
    context = ssl.create_default_context(cafile=str(proxy.ca))
    with context.wrap_socket(plain, server_hostname=HOST) as connection:
        yield connection


def one_stream(connection: ssl.SSLSocket) -> Latency:
    """Ask for a stream and read it to its end. Raises RuntimeError when not all events come."""
    begun = time.monotonic_ns()
    connection.sendall(_ASK % HOST.encode())
    first, seen, took = 0, 0, list[float]()
    data = b""
    while not data.endswith(b"\r\n0\r\n\r\n"):
        piece = connection.recv(65536)
        moment = time.monotonic_ns()
        if not piece:
            raise RuntimeError(f"the stream ended early: {data[-300:]!r}")
        data += piece
        written = [int(match) for match in _WRITTEN.findall(data[seen:])]
        if written:
            seen = len(data)
            first = first or moment
            took += [(moment - at) / 1000 for at in written]
    if len(took) != EVENTS:
        raise RuntimeError(f"{len(took)} events of {EVENTS}: {data[:300]!r}")
    return Latency((first - begun) / 1000, took)
