"""Packed data that nobody announced: unpacked as far as it goes, whatever its end looks like.

Unlike :mod:`bot_bottle.dlp.coding` nothing here is an error: what does not unpack is not packed, and what breaks off
or has a wrong checksum is given up to the last byte, since a reader that does not check it would have that too.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli

from bot_bottle.dlp.coding import brotli_window
from bot_bottle.dlp.zstdframes import WINDOW_BYTES, CodingError, ZstdStage

_FIRST_SLICE = 256
_SLICE = 4096
"""input for one call: an error costs the slice, which is then tried in halves"""
_DRY_BYTES = 1024
"""of input without any output, beyond which it is not looked at further: a head of such size, or empty blocks"""


class Unpacker(Protocol):
    """One packed stream. ``give`` some input, then ``read`` until it gives nothing."""

    done: bool
    """at its end, or broken: no more comes"""
    refused: bool
    """not looked at: it needs too much memory, or a method that is not known"""

    def give(self, data: bytes, start: int) -> None:
        """Input from ``data[start:]``; what was given before must have been read."""

    def read(self, most: int) -> bytes:
        """At least one byte and about *most* at most; empty: more input is needed, or it is done."""

    def used(self) -> int:
        """Where in the last given data it has got to."""


class _Sliced:
    """Input in slices that grow."""

    def __init__(self) -> None:
        self.done = self.refused = False
        self._data = b""
        self._at = 0
        self._size = _FIRST_SLICE

    def give(self, data: bytes, start: int) -> None:
        self._data, self._at = data, start

    def used(self) -> int:
        return self._at

    def _slice(self) -> bytes:
        part = self._data[self._at : self._at + self._size]
        self._size = min(_SLICE, self._size * 2)
        return part


class Inflate(_Sliced):
    """gzip, zlib (by ``wbits``) and raw deflate."""

    def __init__(self, wbits: int, skip: int = 0, most: int | None = None) -> None:
        """``skip``: bytes of input to pass over first. ``most``: of output, after which it is done."""
        super().__init__()
        self._wbits = wbits
        self._unzip = zlib.decompressobj(wbits=wbits)
        self._begun = self._full = False
        self._skip = skip
        self._dry = 0
        self._quota = most

    def give(self, data: bytes, start: int) -> None:
        step = min(self._skip, len(data) - start)
        self._skip -= step
        super().give(data, start + step)

    def read(self, most: int) -> bytes:
        while not self.done:
            part = b"" if self._full else self._slice()
            if not part and not self._full:
                return b""
            # at the beginning a new one does as well, and is cheaper where there is no packed data at all
            before = self._unzip.copy() if self._begun else None
            self._begun = True
            try:
                out = self._unzip.decompress(part, most)
            except zlib.error:
                before = before or zlib.decompressobj(wbits=self._wbits)
                out, self.done = _salvage(before, part, most), True
                return out
            taken = len(part) - len(self._unzip.unconsumed_tail) - len(self._unzip.unused_data)
            self._at += taken
            self._dry = 0 if out else self._dry + taken
            if self._dry > _DRY_BYTES and not self._unzip.eof:
                self.done = self.refused = True
            self._full = len(out) >= most and not self._unzip.unconsumed_tail
            self.done = self.done or self._unzip.eof
            if out:
                return self._counted(out)
        return b""

    def _counted(self, out: bytes) -> bytes:
        if self._quota is not None:
            self._quota -= len(out)
            self.done = self.done or self._quota <= 0
        return out


def _salvage(unzip: zlib._Decompress, part: bytes, most: int) -> bytes:
    """What comes out of *part* before the error in it, which lost it: by halves."""
    out = b""
    while part and len(out) < most:
        half = part[: (len(part) + 1) // 2]
        before = unzip.copy()
        try:
            out += unzip.decompress(half, most - len(out))
        except zlib.error:
            if len(half) == 1:
                break
            unzip, part = before, half
            continue
        part = part[len(half) :]
    return out


class _Generated(_Sliced):
    """An unpacker that gives pieces of its own size."""

    def __init__(self) -> None:
        super().__init__()
        self._left = b""
        self._pieces: Iterator[bytes] = iter(())

    def read(self, most: int) -> bytes:
        while True:
            if self._left:
                out, self._left = self._left[:most], self._left[most:]
                return out
            try:
                self._left = next(self._pieces, b"")
            except CodingError as e:
                self._failed(e)
            if self._left:
                continue
            part = b"" if self.done else self._slice()
            if not part:
                return b""
            self._at += len(part)
            self._pieces = self._unpack(part)

    def _failed(self, error: CodingError) -> None:
        self.done = True
        self.refused = self.refused or "needs" in str(error)

    def _unpack(self, part: bytes) -> Iterator[bytes]:
        raise NotImplementedError


class Zstd(_Generated):
    """Frames, to the first that isn't one."""

    def __init__(self, skip: int = 0) -> None:
        super().__init__()
        self._stage = ZstdStage()
        self._skip = skip
        self._fed = 0

    def give(self, data: bytes, start: int) -> None:
        step = min(self._skip, len(data) - start)
        self._skip -= step
        super().give(data, start + step)

    def used(self) -> int:
        between = self._stage.between_frames
        return max(0, self._at - (self._fed - self._stage.whole)) if self.done or between else self._at

    def _unpack(self, part: bytes) -> Iterator[bytes]:
        self._fed += len(part)
        return self._stage.feed(part)


class Brotli(_Generated):
    """RFC 7932."""

    def __init__(self) -> None:
        super().__init__()
        self._unzip = brotli.Decompressor()
        self._begun = False

    def _unpack(self, part: bytes) -> Iterator[bytes]:
        if not self._begun and brotli_window(part[0]) > WINDOW_BYTES:
            self.done = True
            return
        self._begun = True
        data = part
        while not self.done:
            try:
                out = self._unzip.process(data, output_buffer_limit=_SLICE * 8)
            except brotli.error:
                self.done = True
                return
            if out:
                yield out
            self.done = self._unzip.is_finished()
            if not out and self._unzip.can_accept_more_data():
                return
            data = b""


class Other(_Sliced):
    """bzip2 and xz, by the libraries of Python."""

    def __init__(self, unzip: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        super().__init__()
        self._unzip = unzip

    def read(self, most: int) -> bytes:
        while not self.done:
            part = self._slice() if self._unzip.needs_input else b""
            if not part and self._unzip.needs_input:
                return b""
            try:
                out = self._unzip.decompress(part, most)
            except lzma.LZMAError as e:
                self.done, self.refused = True, "emory" in str(e)
                return b""
            except (OSError, EOFError):
                self.done = True
                return b""
            self._at += len(part) - len(self._unzip.unused_data)
            self.done = self._unzip.eof
            if out:
                return out
        return b""


class Refused(_Sliced):
    """Something that is packed by a method which is not known here, or encrypted."""

    def __init__(self) -> None:
        super().__init__()
        self.done = self.refused = True

    def read(self, most: int) -> bytes:  # noqa: ARG002
        return b""
