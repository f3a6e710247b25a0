"""The server's end of a WebSocket for fakes: text messages, in a thread of its own, over ``wsproto``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1

from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 section 1.3"""


def switching(key: str) -> bytes:
    """The answer to a handshake with *key*; no extension is taken up."""
    accept = b64encode(sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ).encode()


class TextConnection:
    """Messages one after the other; *read* gives b"" at the end."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
        self._read = read
        self._write = write
        self._frames = FrameProtocol(False, [])

    def receive(self) -> str | None:
        """The next text; None once the client has closed, or broken off."""
        parts: list[str] = []
        while True:
            try:
                for frame in self._frames.received_frames():
                    if frame.opcode is Opcode.PING:
                        assert isinstance(frame.payload, bytes)
                        self._write(bytes(self._frames.pong(frame.payload)))
                    elif frame.opcode is Opcode.CLOSE:
                        self._write(bytes(self._frames.close(CloseReason.NORMAL_CLOSURE)))
                        return None
                    elif isinstance(frame.payload, str):
                        parts.append(frame.payload)
                        if frame.message_finished:
                            return "".join(parts)
            except ParseFailed:
                return None
            data = self._read()
            if not data:
                return None
            self._frames.receive_bytes(data)

    def send(self, text: str) -> None:
        self._write(bytes(self._frames.send_data(text)))
