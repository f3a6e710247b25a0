"""Message bodies, read piece by piece (RFC 9112 sections 6 and 7). Pure, sans-I/O.

Stricter than the RFC: a chunk size is one to eight hexadecimal digits and nothing else, so no chunk
extension, no white space, no ``0x``; on requests also no leading zero. Trailer fields are checked, counted
and dropped: none is ever forwarded.
"""

from __future__ import annotations

from typing import NoReturn, Protocol

from bot_bottle.sidecar.proxy.http1 import Body, Framing, Malformed

MAX_CHUNK_DIGITS = 8
"""4 GiB a chunk; real ones are a few KiB."""

CHUNKS_A_FEED = 2000
"""Some two milliseconds of ours: a body of one-byte chunks must not keep other connections waiting."""

MAX_TRAILER_BYTES = 8 * 1024
"""gRPC-web and S3 checksums use some hundred; they are dropped anyway."""

_TOO_LONG = "a chunk is longer than it says"
_NO_SIZE = "a chunk size is not a plain hexadecimal number"
_BAD_TRAILERS = "the trailer section is not acceptable"
_HEX = b"0123456789abcdefABCDEF"
_TRAILER_TEXT = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])


class BodyReader(Protocol):
    """Takes the bytes behind a head; ``done`` once the body has ended, ``rest`` is what came after it, or,
    before that, what is to be fed again because it was too much work for once."""

    done: bool
    rest: bytes

    def feed(self, data: bytes) -> list[bytes]:
        """The body's next pieces, none of them empty; raises :class:`Malformed`. Not called when done."""

    def end(self) -> bool:
        """The sender has closed in good order; True if that is how this body may end."""


class NoBody:
    """Nothing follows."""

    def __init__(self) -> None:
        self.done = True
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        self.rest += data
        return []

    def end(self) -> bool:
        return True


class LengthBody:
    """``Content-Length`` bytes."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        size = len(data)
        if size < self.left:
            self.left -= size
            return [data] if data else []
        piece, self.rest = (data, b"") if size == self.left else (data[: self.left], data[self.left :])
        self.left = 0
        self.done = True
        return [piece] if piece else []

    def end(self) -> bool:
        return self.done


class UntilCloseBody:
    """All that comes until the sender closes."""

    def __init__(self) -> None:
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        return [data] if data else []

    def end(self) -> bool:
        self.done = True
        return True


class ChunkedBody:
    """The chunked coding. States: size line → data → line end → size line …, last size → trailers."""

    def __init__(self, *, strict: bool) -> None:
        self.done = False
        self.rest = b""
        self._strict = strict
        self._line = b""
        self._left = 0
        """of the current chunk: data bytes not yet seen"""
        self._ends = 0
        """which line comes next. 0: a size; 1: the end of the current chunk; 2: a trailer"""
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> list[bytes]:
        pieces: list[bytes] = []
        self.rest = b""
        if self._line:
            data, self._line = self._line + data, b""
        at, size = 0, len(data)
        while not self.done:
            if len(pieces) >= CHUNKS_A_FEED:
                self.rest = data[at:]
                break
            if self._left:
                piece = data[at : at + self._left]
                if not piece:
                    break
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._ends = 1
                continue
            stop = data.find(b"\n", at)
            if stop < 0:
                self._hold(data[at:] if at else data)
                at = size
                break
            if stop == at or data[stop - 1] != 0x0D:
                self._refuse_line(data[at:stop])
            self._take_line(data[at : stop - 1])
            at = stop + 1
        if self.done:
            self.rest = data[at:]
        return [b"".join(pieces)] if len(pieces) > 1 else pieces

    def _hold(self, part: bytes) -> None:
        """Keep an unfinished line; refuse at once what can't become a good one."""
        body = part[:-1] if part.endswith(b"\r") else part
        if self._ends == 1 and body:
            raise Malformed(_TOO_LONG)
        if self._ends == 0 and (len(body) > MAX_CHUNK_DIGITS or body.translate(None, _HEX)):
            raise Malformed(_NO_SIZE)
        if self._ends == 2 and len(body) > MAX_TRAILER_BYTES:
            raise Malformed(_BAD_TRAILERS)
        self._line = part

    def _refuse_line(self, line: bytes) -> NoReturn:
        """Refuse a line that has no CR: for what is wrong with it besides, if anything is. What is said must
        not depend on the pieces that it came in."""
        if line or self._ends == 0:
            self._take_line(line)
        raise Malformed("a chunk's line does not end with CR LF")

    def _take_line(self, line: bytes) -> None:
        if self._ends == 1:
            if line:
                raise Malformed(_TOO_LONG)
            self._ends = 0
        elif self._ends == 0:
            self._take_size(line)
        elif not line:
            self.done = True
        else:
            self._take_trailer(line)

    def _take_size(self, line: bytes) -> None:
        if not line or len(line) > MAX_CHUNK_DIGITS or line.translate(None, _HEX):
            raise Malformed(_NO_SIZE)
        if self._strict and line[0] == 0x30 and len(line) > 1:
            raise Malformed("a chunk size has a leading zero")
        self._left = int(line, 16)
        if self._left == 0:
            self._ends = 2

    def _take_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        name, colon, _ = line.partition(b":")
        if self._trailer_bytes > MAX_TRAILER_BYTES or line.translate(None, _TRAILER_TEXT):
            raise Malformed(_BAD_TRAILERS)
        if not colon or not name or b" " in name or b"\t" in name:
            raise Malformed("a trailer line is not 'name: value'")

    def end(self) -> bool:
        return self.done


def body_reader(framing: Framing, *, strict: bool) -> BodyReader:
    """A reader for a body framed as *framing*; *strict* for requests."""
    if framing.body is Body.LENGTH:
        return LengthBody(framing.length)
    if framing.body is Body.CHUNKED:
        return ChunkedBody(strict=strict)
    if framing.body is Body.UNTIL_CLOSE:
        return UntilCloseBody()
    return NoBody()
