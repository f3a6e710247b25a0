"""How an attempt gets to a host: inside through the bottle's proxy, outside straight to where it listens."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

PROXY = ("127.0.0.1", 9099)
TIMEOUT_S = 5.0
"""The proxy and the upstreams are on this machine; what takes longer does not come."""
MAX_ANSWER_BYTES = 1 << 20


class Stopped(Exception):
    """An attempt was refused; the text says by what."""


class Answer:
    """One HTTP response."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def describe(self) -> str:
        """``403 host not in the routes``: what a person reads in the table."""
        try:
            reason = json.loads(self.body)["reason"]
        except (ValueError, KeyError, TypeError):
            reason = self.body.decode("utf-8", "replace").split("\n")[0]
        return f"{self.status} {reason}".strip()[:160]


class Way:
    """Connections of one run. *places* maps ``host:port`` to where that is on loopback (outside only)."""

    def __init__(self, inside: bool, places: dict[str, Any]) -> None:
        self.inside = inside
        self._places = places

    def place(self, host: str, port: int) -> tuple[str, int]:
        address, number = self._places[f"{host}:{port}"]
        return address, number

    def dial(self, host: str, port: int) -> socket.socket:
        """A plain connection to exactly this address."""
        return socket.create_connection((host, port), TIMEOUT_S)

    def by_name(self, host: str, port: int) -> socket.socket:
        """As a program that knows of no proxy would connect."""
        return self.dial(host, port) if self.inside else self.dial(*self.place(host, port))

    def tunnel(self, host: str, port: int) -> socket.socket:
        """A byte stream to *host*: by CONNECT inside. Raises :class:`Stopped` when that is refused."""
        if not self.inside:
            return self.dial(*self.place(host, port))
        sock = self.dial(*PROXY)
        sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        answer = read_answer(sock, connect=True)
        if answer is None:
            raise Stopped("the proxy closed")
        if answer.status != 200:
            raise Stopped(answer.describe())
        return sock

    def forward(self, host: str, port: int) -> socket.socket:
        """Where a request in absolute form is sent."""
        return self.dial(*PROXY) if self.inside else self.dial(*self.place(host, port))


def tls(sock: socket.socket, name: str) -> socket.socket:
    """TLS as an attacker does it: whatever certificate comes is taken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname=name)


def request(method: str, target: str, host: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def ask(sock: socket.socket, data: bytes) -> Answer:
    """Send *data* and read one response; raises :class:`Stopped` when none comes."""
    with sock:
        sock.sendall(data)
        answer = read_answer(sock)
    if answer is None:
        raise Stopped("closed without an answer")
    return answer


def read_answer(sock: socket.socket, connect: bool = False) -> Answer | None:
    """The next response; None at the end of the stream. To a CONNECT that is granted there is no body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(1 if connect else 65536)
        if not piece or len(data) > MAX_ANSWER_BYTES:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    pairs = [line.partition(":") for line in lines[1:]]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if connect and status == 200:
        return Answer(status, headers, b"")
    length = headers.get("content-length", "")
    wanted = int(length) if length.isdigit() else MAX_ANSWER_BYTES
    while len(body) < wanted:
        piece = sock.recv(65536)
        if not piece:
            break
        body += piece
    return Answer(status, headers, body)
