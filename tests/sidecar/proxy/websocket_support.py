"""Both ends of a WebSocket through the proxy: an upstream that keeps what it received, and clients that write any
frame. Read and written with wsproto; hostile frames are made here by hand."""

from __future__ import annotations

import os
import struct
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed

from bot_bottle.sidecar.proxy.limits import Limits
from bot_bottle.testing.upstream import FakeUpstream, RecordedRequest, UpstreamConnection

HOST = "ws.example.com"
POLICY = f"routes: [{{host: {HOST}}}]\n"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""RFC 6455 section 1.3"""
QUICK = Limits(sweep_s=0.02)
"""as the proxies of these tests have it"""


def accept_of(key: str) -> str:
    return b64encode(sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()


def deflate() -> PerMessageDeflate:
    """Agreed on with its defaults."""
    extension = PerMessageDeflate()
    extension.finalize("permessage-deflate")
    return extension


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bool = True) -> bytes:
    """One frame, whether it is legal or not."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size, bit = len(payload), 0x80 if mask else 0
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(octet ^ key[index % 4] for index, octet in enumerate(payload))


@dataclass
class Heard:
    """What one end was told, in order: ``("text", "…")``, ``("binary", b"…")``, ``("ping", b"")``, ``("pong", b"…")``,
    ``("close", code, reason)``, ``("end",)`` for the end of the connection, ``("bad", "…")`` for what is no frame."""

    events: list[tuple[Any, ...]] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    """opcodes of the data frames as they were framed"""

    @property
    def messages(self) -> list[Any]:
        return [event[1] for event in self.events if event[0] in ("text", "binary")]

    @property
    def close(self) -> tuple[int, str] | None:
        return next(((event[1], event[2]) for event in self.events if event[0] == "close"), None)


class End:
    """One end: reads frames off a stream, writes those of the caller."""

    def __init__(
        self, protocol: FrameProtocol, read: Callable[[], bytes], send: Callable[[bytes], None]
    ) -> None:
        self.protocol = protocol
        self.heard = Heard()
        self._read = read
        self.send = send
        self.gate = threading.Event()
        self.head = ""
        """of a client's end: the answer to its handshake"""
        self.connection: Any = None
        """of an upstream's end: what it runs on"""
        self._parts: list[Any] = []
        self._is_over = False

    def next(self) -> tuple[Any, ...]:
        """The next thing heard."""
        before = len(self.heard.events)
        while len(self.heard.events) == before:
            self._hear()
        return self.heard.events[before]

    def until_end(self) -> Heard:
        while ("end",) not in self.heard.events:
            self._hear()
        return self.heard

    def message(self) -> Any:
        """The next message; raises AssertionError where something else comes, pings apart."""
        while True:
            event = self.next()
            if event[0] in ("text", "binary"):
                return event[1]
            assert event[0] in ("ping", "pong"), event

    def _hear(self) -> None:
        try:
            for found in self.protocol.received_frames():
                self._take(found.opcode, found.payload, found.message_finished and found.frame_finished)
                if found.opcode is not Opcode.CONTINUATION and found.frame_finished:
                    return
        except ParseFailed as error:
            self.heard.events.append(("bad", str(error)))
            self._is_over = True
        data = b"" if self._is_over else self._read()
        if data:
            self.protocol.receive_bytes(data)
        else:
            self._is_over = True
            self.heard.events.append(("end",))

    def _take(self, opcode: Opcode, payload: Any, ends: bool) -> None:
        if opcode is Opcode.CLOSE:
            self.heard.events.append(("close", int(payload[0]), payload[1]))
        elif opcode in (Opcode.PING, Opcode.PONG):
            self.heard.events.append((opcode.name.lower(), bytes(payload)))
        else:
            self._parts.append(payload)
            if ends:
                whole = type(payload)().join(self._parts)
                self._parts.clear()
                self.heard.events.append(("text" if isinstance(whole, str) else "binary", whole))

    def say(self, message: str | bytes, *, fin: bool = True) -> None:
        self.send(bytes(self.protocol.send_data(message, fin)))

    def close(self, code: int | None = 1000, reason: str | None = None) -> None:
        self.send(bytes(self.protocol.close(code, reason)))


Play = Callable[[End], None]


def echo(end: End) -> None:
    """Say every message once more; answer the close frame; stop there."""
    while True:
        event = end.next()
        if event[0] in ("text", "binary"):
            end.say(event[1])
        elif event[0] == "close":
            end.close(event[1] if event[1] != 1005 else 1000, event[2])
            return
        elif event[0] in ("end", "bad"):
            return


def listen(end: End) -> None:
    """Say nothing, and hear everything until the end."""
    end.until_end()


class WebSocketUpstream:
    """``FakeUpstream`` that takes up WebSockets and plays each connection's part in *play*."""

    def __init__(
        self,
        play: Play = echo,
        *,
        extension: str = "",
        protocol: str = "",
        more: Iterable[tuple[str, str]] = (),
        tls: bool = True,
    ) -> None:
        self._play = play
        self._extension = extension
        self._protocol = protocol
        self._more = tuple(more)
        self.ends: list[End] = []
        self.done = threading.Event()
        self.fake = FakeUpstream(self._answer, tls=tls)

    def __enter__(self) -> WebSocketUpstream:
        self.fake.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Once its part is over, or takes too long: a socket shut under TLS reads no plain text."""
        if self.ends:
            self.done.wait(2)
        self.fake.stop()

    @property
    def heard(self) -> Heard:
        """Of the first connection, once its part is over."""
        assert self.done.wait(10), "the upstream's part is not over"
        return self.ends[0].heard

    def _answer(self, request: RecordedRequest, connection: UpstreamConnection) -> None:
        head = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept_of(request.header('sec-websocket-key') or '')}",
            *(f"{name}: {value}" for name, value in self._more),
        ]
        if self._extension:
            head.append(f"Sec-WebSocket-Extensions: {self._extension}")
        if self._protocol:
            head.append(f"Sec-WebSocket-Protocol: {self._protocol}")
        connection.send(("\r\n".join(head) + "\r\n\r\n").encode())
        protocol = FrameProtocol(False, [deflate()] if self._extension else [])
        end = End(protocol, connection.read, connection.send)
        end.connection = connection
        self.ends.append(end)
        try:
            self._play(end)
        finally:
            connection.close()
            self.done.set()


def handshake(
    host: str = HOST, path: str = "/chat", *, more: Iterable[tuple[str, str]] = (), key: str = KEY
) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in more),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def opened(
    client: Any,
    *,
    host: str = HOST,
    path: str = "/chat",
    more: Iterable[tuple[str, str]] = (),
    packs: bool = False,
) -> End:
    """A WebSocket on the connection *client*; *packs*: with compression."""
    fields = (
        [*more, ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")] if packs else more
    )
    client.send(handshake(host, path, more=fields))
    head = client.read_until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    lines = head.decode().lower().split("\r\n")
    assert f"sec-websocket-accept: {ACCEPT.lower()}" in lines
    assert packs is any(line.startswith("sec-websocket-extensions: permessage-deflate") for line in lines)
    end = End(FrameProtocol(True, [deflate()] if packs else []), client.read_some, client.send)
    end.head = head.decode("latin-1")
    return end
