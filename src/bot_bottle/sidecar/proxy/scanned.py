"""A request's body on its way: what came in, what of it may go. Sans-I/O.

What is encoded is judged as it is and as it reads: both streams have to have passed a place before it goes. How
much of the encoded bytes a place of the text needs nobody says, so that :data:`BEHIND` more have to have been
read: a decoder gives its text block by block, and no format's block has more (RFC 8878 section 3.1.1.2).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from bot_bottle.dlp.coding import CodingError, Decoder
from bot_bottle.dlp.finding import Finding

SLICE = 16 * 1024
"""decoded before it is noted how far the text has come"""

BEHIND = 160 * 1024
"""a block of zstd has at most 128 KiB; deflate and brotli give what they have read"""


class Stream(Protocol):
    """``dlp.scan.Stream``."""

    @property
    def cleared(self) -> int: ...

    def feed(self, data: bytes) -> tuple[Finding, ...]: ...

    def finish(self) -> tuple[Finding, ...]: ...


class ScannedBody:
    """``feed`` any number of times, ``finish`` once; ``take`` at any time. *lenient*: what can't be decoded is
    judged as it is alone, and no error. *encoded* judges what a decoder reads as it is; None: as *stream* does."""

    def __init__(
        self,
        stream: Callable[[], Stream],
        decoder: Decoder | None = None,
        *,
        encoded: Callable[[], Stream] | None = None,
        lenient: bool = False,
    ) -> None:
        self._lenient = lenient
        self._raw = encoded() if encoded is not None and decoder is not None else stream()
        self._decoder = decoder
        self._text = None if decoder is None else stream()
        self._held: deque[bytes] = deque()
        self._marks: deque[tuple[int, int]] = deque()
        """places in what came in, and how much text there was then"""
        self._decoded = 0
        self._passed = 0
        """up to here both streams have cleared all"""
        self._gone = 0
        self.size = 0
        """bytes that came in"""
        self.done = False

    @property
    def held(self) -> int:
        """Bytes that have not gone."""
        return self.size - self._gone

    def feed(self, data: bytes) -> tuple[Finding, ...]:
        """Judge more. Raises ``CodingError``."""
        if not data:
            return ()
        self._held.append(data)
        found = self._raw.feed(data)
        if self._text is None:
            self.size += len(data)
            return found
        for at in range(0, len(data), SLICE):
            piece = data[at : at + SLICE]
            found += self._read(piece)
            self.size += len(piece)
            self._marks.append((self.size, self._decoded))
        return found

    def _read(self, piece: bytes | None) -> tuple[Finding, ...]:
        """What *piece* reads as; None: nothing more comes."""
        decoder, text = self._decoder, self._text
        if decoder is None or text is None:
            return ()
        found: tuple[Finding, ...] = ()
        try:
            if piece is None:
                decoder.finish()
            else:
                for part in decoder.feed(piece):
                    self._decoded += len(part)
                    found += text.feed(part)
        except CodingError:
            if not self._lenient:
                raise
            self._text = None
            piece = None
        return found + text.finish() if piece is None else found

    def finish(self) -> tuple[Finding, ...]:
        """Nothing more comes. Raises ``CodingError``."""
        found = self._read(None) + self._raw.finish()
        self.done = True
        return found

    def take(self) -> list[bytes]:
        """What may go now and has not gone. Before the end, the last byte is never in it."""
        if self.done:
            pieces = list(self._held)
            self._held.clear()
            self._gone = self.size
            return pieces
        return self._up_to(min(self._cleared(), self.size - 1))

    def whole(self) -> bytes:
        """All that has not gone; it stays."""
        if len(self._held) > 1:
            joined = b"".join(self._held)
            self._held.clear()
            self._held.append(joined)
        return self._held[0] if self._held else b""

    def _cleared(self) -> int:
        raw = self._raw.cleared
        if self._text is None:
            return raw
        text = self._text.cleared
        read = [place for place, decoded in self._marks if decoded <= text]
        while len(self._marks) > 1 and self._marks[1][1] <= text:
            self._marks.popleft()
        if read:
            self._passed = max(self._passed, read[-1] - BEHIND)
        return min(raw, self._passed)

    def _up_to(self, place: int) -> list[bytes]:
        pieces = []
        while self._held and self._gone < place:
            piece = self._held[0]
            if self._gone + len(piece) > place:
                cut = place - self._gone
                self._held[0], piece = piece[cut:], piece[:cut]
            else:
                self._held.popleft()
            pieces.append(piece)
            self._gone += len(piece)
        return pieces
