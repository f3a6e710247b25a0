"""Zstandard, a block at a time: the library's own stream reader has no bound on what one call gives.

A block unpacks to 128 KiB at most (RFC 8878 section 3.1.1.2.4), so frames are taken apart here and given to the
library in portions whose output is bounded. Windows of more than 8 MiB are refused (RFC 9659 asks for no more).
"""

from __future__ import annotations

from collections.abc import Iterator

import zstandard

WINDOW_BYTES = 8 * 1024 * 1024
"""largest window that a stream may ask for, zstd's and brotli's"""
BLOCK_BYTES = 128 * 1024
_MAGIC = b"\x28\xb5\x2f\xfd"
_FCS_BYTES = (0, 2, 4, 8)
_PORTION_BLOCKS = 2


HIDDEN = "it has a part that is not unpacked"


class CodingError(Exception):
    """A body that can't be unpacked, or may not be: broken, too large, or of an unknown kind."""


class ZstdStage:
    """Unpacks concatenated frames. ``skips``: skippable frames are passed over; else they are refused, since nobody
    reads what is in them but who knows of it (RFC 8878 section 3.1.2)."""

    def __init__(self, *, skips: bool = True) -> None:
        self._skips = skips
        self._unzip = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
        self._frame = self._unzip.decompressobj()
        self._state = "magic"
        self._held = b""
        """bytes of a header that is not complete"""
        self._left = 0
        """bytes of the current block, checksum or skippable frame that have not come"""
        self._last = self._checksum = False
        self._portion: list[bytes] = []
        self._problem = ""
        """what is wrong with the frame; said when its first block shows that it is one"""
        self._fed = 0
        self.whole = 0
        """bytes of input up to the end of the last complete frame"""
        self._blocks = 0
        """blocks in the portion, the begun one among them"""

    @property
    def between_frames(self) -> bool:
        """At least one frame is complete, and what follows it is no beginning of another yet."""
        return bool(self.whole) and self._state == "magic"

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most 256 KiB.

        :raises CodingError: broken, dictionary, window too large
        """
        base = self._fed - len(self._held)
        self._fed += len(data)
        data, self._held, at = self._held + data, b"", 0
        while at < len(data):
            if self._left:
                at += self._take(data, at)
                yield from self._block_ended(base + at)
                continue
            size = self._header_size(data, at)
            if size is None or at + size > len(data):
                self._held = data[at:]
                break
            self._header(data[at : at + size])
            at += size
            yield from self._block_ended(base + at)
        yield from self._emit()

    def finish(self) -> None:
        """:raises CodingError: the data breaks off"""
        if self._state != "magic" or self._held or self._left:
            raise CodingError("the data breaks off")

    def _take(self, data: bytes, at: int) -> int:
        size = min(self._left, len(data) - at)
        if self._state != "skip":
            self._portion.append(data[at : at + size])
        self._left -= size
        return size

    def _header_size(self, data: bytes, at: int) -> int | None:
        """Bytes of the header at ``at``; None: not enough of it is here to tell."""
        if self._state == "block":
            return 3
        if self._state == "checksum":
            return 4
        if len(data) - at < 5:
            return None
        if data[at : at + 4] != _MAGIC:
            return 8
        flags = data[at + 4]
        single = flags >> 5 & 1
        content = _FCS_BYTES[flags >> 6] or single
        return 5 + (1 - single) + content

    def _header(self, head: bytes) -> None:
        if self._state == "block":
            self._block(head)
        elif self._state == "checksum":
            self._portion.append(head)
            self._state = "magic"
        elif head[:4] == _MAGIC:
            self._frame_header(head)
        elif head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:
            if not self._skips:
                raise CodingError(HIDDEN)
            self._left = int.from_bytes(head[4:], "little")
            self._state = "skip" if self._left else "magic"
        else:
            raise CodingError("the data is broken")

    def _frame_header(self, head: bytes) -> None:
        flags = head[4]
        if flags & 3:
            self._problem = "it needs a dictionary"
        if flags >> 5 & 1:
            size = int.from_bytes(head[5:], "little")
            window = size + 256 if flags >> 6 == 1 else size
        else:
            base = 1 << (10 + (head[5] >> 3))
            window = base + base // 8 * (head[5] & 7)
        if window > WINDOW_BYTES:
            self._problem = self._problem or "it needs too large a window"
        self._checksum = bool(flags & 4)
        self._portion.append(head)
        self._state = "block"

    def _block(self, head: bytes) -> None:
        value = int.from_bytes(head, "little")
        kind, size = value >> 1 & 3, value >> 3
        if kind == 3 or size > BLOCK_BYTES:
            raise CodingError("the data is broken")
        if self._problem:
            raise CodingError(self._problem)
        self._last = bool(value & 1)
        self._left = 1 if kind == 1 else size
        self._blocks += 1
        self._portion.append(head)
        self._state = "body"

    def _block_ended(self, at: int) -> Iterator[bytes]:
        """After input up to *at*."""
        if self._left or self._state not in ("body", "skip", "magic"):
            return
        if self._state == "skip":
            self._state = "magic"
        elif self._state == "body":
            self._state = "block"
            if self._last and self._checksum:
                self._state = "checksum"
            elif self._last:
                self._state = "magic"
        if self._state == "magic":
            self.whole = at
        if self._blocks >= _PORTION_BLOCKS or self._state == "magic":
            yield from self._emit()

    def _emit(self) -> Iterator[bytes]:
        """What the portion unpacks to: at most two blocks, so at most 256 KiB."""
        if self._problem:
            return
        portion, self._portion, self._blocks = b"".join(self._portion), [], 0
        if portion:
            try:
                out = self._frame.decompress(portion)
            except zstandard.ZstdError as e:
                raise CodingError("the data is broken") from e
            if out:
                yield out
        if self._state == "magic" and self._frame.eof:
            self._frame = self._unzip.decompressobj()
