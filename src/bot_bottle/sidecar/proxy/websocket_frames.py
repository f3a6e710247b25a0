"""One leg of a WebSocket as pieces of messages, both ways, over ``wsproto``. Sans-I/O.

``wsproto`` reads and writes frames, masks and UTF-8 (RFC 6455); compression (RFC 7692) is done here, since its
own knows no bound, and takes the rest of a compressed message for plain after a ping between two fragments.
Whatever the peer's fragments are, a message comes out in pieces as they arrive, and goes out in those of the caller.
"""

from __future__ import annotations

import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass

from wsproto.extensions import Extension
from wsproto.frame_protocol import (
    CloseReason,
    FrameDecoder,
    FrameProtocol,
    Opcode,
    ParseFailed,
    RsvBits,
)

from bot_bottle.egress.websocket import Deflate
from bot_bottle.sidecar.proxy.limits import Limits

PROTOCOL_ERROR = 1002
BAD_DATA = 1007
POLICY = 1008
TOO_BIG = 1009
GOING_AWAY = 1001
NO_STATUS = 1005
"""RFC 6455 section 7.4.1"""

MAX_REASON_BYTES = 123
"""of a close frame (section 5.5)"""

SMALL_BYTES = 64
"""A message that is not worth compressing."""
FREE_BYTES = 1024 * 1024
"""inflated, whatever it was compressed from: the ratio is asked from here on"""
MAX_FINAL_BLOCKS = 16
"""of one message: each begins another stream (RFC 7692 section 7.2.3.4); real compressors write none"""

_TAIL = b"\x00\x00\xff\xff"
"""What ends a compressed message and is not sent (RFC 7692 section 7.2.1)"""

_WORDS = {
    PROTOCOL_ERROR: "frames that break the protocol",
    BAD_DATA: "a text that is not UTF-8, or broken compression",
    TOO_BIG: "a message that is too big, or inflates to too much",
}


class BadFrames(Exception):
    """What the peer sent ends the connection. ``code`` is for the close frame, ``what`` fixed words."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.what = _WORDS.get(code, _WORDS[PROTOCOL_ERROR])
        super().__init__(self.what)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message, inflated; ``data`` may be empty, and of a text end amid a character no more."""

    data: bytes
    is_text: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Ping:
    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing more comes. ``code`` :data:`NO_STATUS`: none was said."""

    code: int
    reason: str


class Frames:
    """Frames of one leg. *client*: we are the client on it."""

    def __init__(self, limits: Limits, *, client: bool, deflate: Deflate | None, compresses: bool) -> None:
        extensions: list[Extension] = []
        if deflate is not None:
            extensions.append(BoundedDeflate(deflate, limits, client=client, compresses=compresses))
        self._protocol = FrameProtocol(client, extensions)
        self._limit = limits.websocket_message_bytes
        self._received = 0
        """of the message that is coming in"""
        self._decoder = getincrementaldecoder("utf-8")()
        """of the text that is going out"""

    # -- in

    def feed(self, data: bytes) -> None:
        """Bytes of the peer's; then read :meth:`events` to the end."""
        self._protocol.receive_bytes(data)

    def events(self) -> Iterator[Piece | Ping | Close]:
        """What is there by now; pongs are left out. May be left and taken up anew. Raises :class:`BadFrames`."""
        try:
            for frame in self._protocol.received_frames():
                payload = frame.payload
                if frame.opcode is Opcode.PING:
                    assert not isinstance(payload, str | tuple)
                    yield Ping(bytes(payload))
                elif frame.opcode is Opcode.CLOSE:
                    assert isinstance(payload, tuple)
                    yield Close(int(payload[0]), payload[1])
                elif frame.opcode is not Opcode.PONG:
                    assert not isinstance(payload, tuple)
                    is_text = isinstance(payload, str)
                    data = payload.encode() if isinstance(payload, str) else bytes(payload)
                    self._received += len(data)
                    if self._received > self._limit:
                        raise BadFrames(TOO_BIG)
                    ends = frame.message_finished and frame.frame_finished
                    if ends:
                        self._received = 0
                    yield Piece(data, is_text, ends)
        except ParseFailed as error:
            raise BadFrames(int(error.code)) from None

    # -- out

    def piece(self, data: bytes, *, is_text: bool, ends: bool) -> bytes:
        """*data* as the message's next frame. Raises UnicodeDecodeError for a text that is not UTF-8."""
        payload = self._decoder.decode(data, ends) if is_text else data
        return bytes(self._protocol.send_data(payload, ends))

    def ping(self) -> bytes:
        return bytes(self._protocol.ping())

    def pong(self, payload: bytes) -> bytes:
        return bytes(self._protocol.pong(payload))

    def close(self, code: int, reason: str = "") -> bytes:
        """The last frame; *reason* is cut where it is too long."""
        if code == NO_STATUS:
            return bytes(self._protocol.close())
        return bytes(self._protocol.close(code, reason))


class BoundedDeflate(Extension):
    """``permessage-deflate``, agreed on already: no message inflates to more than it may."""

    name = "permessage-deflate"

    def __init__(self, agreed: Deflate, limits: Limits, *, client: bool, compresses: bool) -> None:
        theirs, ours = agreed.client_no_context_takeover, agreed.server_no_context_takeover
        self._forgets_in, self._forgets_out = (ours, theirs) if client else (theirs, ours)
        self._compresses = compresses
        self._limit = limits.websocket_message_bytes
        self._ratio = limits.websocket_ratio
        self._inflater: zlib._Decompress | None = None
        self._deflater: zlib._Compress | None = None
        self._is_control = False
        self._is_compressed_in = False
        self._is_compressed_out = False
        self._read = self._inflated = self._finals = 0

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool | str:
        return True

    # -- in

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        del proto, payload_length
        self._is_control = opcode.iscontrol()
        if self._is_control or opcode is Opcode.CONTINUATION:
            return RsvBits(False, False, False)  # a set bit is an error then
        self._is_compressed_in = rsv.rsv1
        self._read = self._inflated = self._finals = 0
        return RsvBits(True, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        del proto
        if self._is_control or not self._is_compressed_in:
            return data
        self._read += len(data)
        return self._inflate(data)

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        del proto
        if self._is_control or not self._is_compressed_in or not fin:
            return None
        rest = self._inflate(_TAIL)
        if self._forgets_in:
            self._inflater = None
        return rest

    def _inflate(self, data: bytes) -> bytes | CloseReason:
        allowed = min(self._limit, max(FREE_BYTES, self._ratio * self._read))
        parts: list[bytes] = []
        while data:
            if self._inflater is None:
                self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                part = self._inflater.decompress(data, allowed - self._inflated + 1)
            except zlib.error:
                return CloseReason.INVALID_FRAME_PAYLOAD_DATA
            self._inflated += len(part)
            if self._inflated > allowed:
                return CloseReason.MESSAGE_TOO_BIG
            parts.append(part)
            data = self._inflater.unconsumed_tail
            if self._inflater.eof:
                self._finals += 1
                if self._finals > MAX_FINAL_BLOCKS:
                    return CloseReason.INVALID_FRAME_PAYLOAD_DATA
                data, self._inflater = self._inflater.unused_data, None
        return b"".join(parts)

    # -- out

    def frame_outbound(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        del proto
        if opcode.iscontrol():
            return rsv, data
        if opcode is not Opcode.CONTINUATION:
            self._is_compressed_out = self._compresses and not (fin and len(data) < SMALL_BYTES)
            rsv = RsvBits(self._is_compressed_out, rsv.rsv2, rsv.rsv3)
        if not self._is_compressed_out:
            return rsv, data
        if self._deflater is None:
            self._deflater = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, -zlib.MAX_WBITS)
        data = self._deflater.compress(data)
        if fin:
            data = (data + self._deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)
            if self._forgets_out:
                self._deflater = None
        return rsv, data
