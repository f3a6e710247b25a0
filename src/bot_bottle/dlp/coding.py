"""Content codings, unpacked piece by piece and packed again: gzip, deflate, br, zstd, stacked up to three.

A :class:`Decoder` gives pieces of at most :data:`PIECE_BYTES` and refuses what grows out of proportion, needs a
window of more than :data:`WINDOW_BYTES`, breaks off, or goes on after its end. It holds the window (at most 8 MiB,
touched only as far as data was unpacked) and one piece.

Stricter than RFC 9110 section 8.4: an unknown coding, a dictionary, and bytes that a raw and a zlib reader of
``deflate`` would read differently are errors, since somebody else might read what was not looked at here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

import brotli
import zstandard
from msgspec import Struct

from bot_bottle.dlp.zstdframes import HIDDEN, WINDOW_BYTES, ZstdStage
from bot_bottle.dlp.zstdframes import CodingError as CodingError

PIECE_BYTES = 256 * 1024
"""no piece of output is larger"""
SLICE_BYTES = 16 * 1024
"""input is given to a library in slices of this size: what a library keeps of it stays small"""
MAX_STACKED = 3
"""codings of one body; more than one is rare, more than three only an attack"""

_ALIASES = {
    "gzip": "gzip",
    "x-gzip": "gzip",
    "deflate": "deflate",
    "br": "br",
    "zstd": "zstd",
    "identity": "identity",
}


class Limits(Struct, frozen=True):
    """Bounds on what a body may unpack to."""

    ratio: int = 100
    """bytes out for one byte in, once more than ``free_bytes`` have come out"""
    free_bytes: int = 1024 * 1024
    max_bytes: int = 8 * 1024**3


def parse_codings(header: str) -> tuple[str, ...] | None:
    """The codings of a Content-Encoding value in the order in which they were applied, identity left out.

    None: one is unknown, or more than :data:`MAX_STACKED`. Source: RFC 9110 section 8.4, RFC 8878, RFC 7932.
    """
    names = [name.strip().lower() for name in header.split(",")]
    codings = [_ALIASES.get(name) for name in names if name]
    if any(coding is None for coding in codings) or len(codings) > MAX_STACKED:
        return None
    return tuple(coding for coding in codings if coding and coding != "identity")


class _Stage(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None: ...


_FEXTRA, _FNAME, _FCOMMENT = 0x04, 0x08, 0x10
MAX_NAME_BYTES = 255
"""What a gzip member says beside its data comes out nowhere (RFC 1952 section 2.3.1): strictly, a name at most."""


class _Zlib:
    """gzip (RFC 1952, several members), zlib (RFC 1950) and raw deflate (RFC 1951)."""

    def __init__(self, coding: str, *, strict: bool) -> None:
        self._gzip = coding == "gzip"
        self._strict = strict
        self._unzip: zlib._Decompress | None = None
        """None: the head has not come whole"""
        self._head = b""
        self._begun = False
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        for at in range(0, len(data), SLICE_BYTES):
            yield from self._slice(data[at : at + SLICE_BYTES])

    def _slice(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._ended:
                self._next_member()
            if self._unzip is None:
                self._head += data
                if not self._is_whole(self._head):
                    return
                data, self._head = self._head, b""
                self._unzip = zlib.decompressobj(wbits=31 if self._gzip else _deflate_window(data))
            try:
                out = self._unzip.decompress(data, PIECE_BYTES)
            except zlib.error as e:
                raise CodingError("the data is broken") from e
            if out:
                yield out
            data = self._unzip.unconsumed_tail
            if self._unzip.eof:
                self._ended = True
                data = self._unzip.unused_data
            elif not out and not data:
                return
            elif not data:
                # a full piece of output may have left some inside although the input is used up
                yield from self._rest()

    def _rest(self) -> Iterator[bytes]:
        assert self._unzip is not None
        while not self._unzip.eof and (out := self._unzip.decompress(b"", PIECE_BYTES)):
            yield out
        self._ended = self._unzip.eof

    def _next_member(self) -> None:
        if not self._gzip:
            raise CodingError("there is data after the end")
        self._unzip = None
        self._ended = False

    def _is_whole(self, head: bytes) -> bool:
        """Whether *head* is as much as is needed to go on."""
        if not self._gzip:
            return len(head) >= 5
        if not self._strict or not b"\x1f\x8b\x08".startswith(head[:3]):
            return True  # what is broken is said by zlib
        if len(head) < 10:
            return False
        name = head.find(b"\0", 10) if head[3] & _FNAME else 10
        if head[3] & (_FEXTRA | _FCOMMENT) or max(name, len(head) if name < 0 else 0) > 10 + MAX_NAME_BYTES:
            raise CodingError(HIDDEN)
        return name >= 0

    def finish(self) -> None:
        if self._begun and not self._ended:
            raise CodingError("the data breaks off")


def _deflate_window(head: bytes) -> int:
    """zlib's ``wbits`` for a body called ``deflate``, by its first five bytes.

    The RFC means zlib, some senders send raw deflate, and receivers guess. A zlib header read as raw deflate is
    always a stored block that is not the last; only with the right complement of its length can it be one.
    """
    zlib_head = head[0] & 0x0F == 8 and head[0] >> 4 <= 7 and (head[0] << 8 | head[1]) % 31 == 0
    if not zlib_head:
        return -15
    if head[1] ^ head[3] == 0xFF and head[2] ^ head[4] == 0xFF:
        raise CodingError("it can be read as zlib and as raw deflate")
    return 15


class _Brotli:
    """RFC 7932, without the large windows of the later draft."""

    def __init__(self) -> None:
        self._unzip = brotli.Decompressor()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if data and not self._begun:
            self._begun = True
            if brotli_window(data[0]) > WINDOW_BYTES:
                raise CodingError("it needs too large a window")
        for at in range(0, len(data), SLICE_BYTES):
            yield from self._slice(data[at : at + SLICE_BYTES])

    def _slice(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._unzip.is_finished():
                raise CodingError("there is data after the end")
            try:
                out = self._unzip.process(data, output_buffer_limit=PIECE_BYTES // 4)
            except brotli.error as e:
                raise CodingError("the data is broken") from e
            yield from _pieces(out)
            if self._unzip.is_finished() or (not out and self._unzip.can_accept_more_data()):
                return
            data = b""

    def finish(self) -> None:
        if self._begun and not self._unzip.is_finished():
            raise CodingError("the data breaks off")


def brotli_window(first: int) -> int:
    """Bytes of window that a brotli stream asks for, by its first byte (RFC 7932 section 9.1); reserved: very many."""
    if not first & 1:
        bits = 16
    elif first >> 1 & 7:
        bits = 17 + (first >> 1 & 7)
    else:
        bits = {0: 17, 1: 62}.get(first >> 4 & 7, 8 + (first >> 4 & 7))
    return 1 << bits


def _pieces(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), PIECE_BYTES):
        yield data[at : at + PIECE_BYTES]


def _stage(coding: str, *, strict: bool) -> _Stage:
    if coding == "br":
        return _Brotli()
    return ZstdStage(skips=not strict) if coding == "zstd" else _Zlib(coding, strict=strict)


class Decoder:
    """Takes the codings of one body off, the last one first. One body each; after an error it is of no more use."""

    def __init__(self, codings: Iterable[str], limits: Limits | None = None, *, strict: bool = False) -> None:
        """``codings`` as from :func:`parse_codings`. ``strict``: refuse what has room for bytes that don't come out
        (but for brotli's metadata, of which the library says nothing)."""
        names = tuple(codings)
        self.outermost = names[-1] if names else ""
        """the coding that was put on last"""
        self._stages = [_stage(coding, strict=strict) for coding in reversed(names)]
        self._limits = limits or Limits()
        self._taken = self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out for ``data``, in pieces of at most :data:`PIECE_BYTES`; must be exhausted.

        :raises CodingError: broken, or over a bound
        """
        for at in range(0, len(data), SLICE_BYTES):
            part = bytes(data[at : at + SLICE_BYTES])
            self._taken += len(part)
            yield from self._counted(_through(self._stages, part))

    def finish(self) -> None:
        """Nothing follows.

        :raises CodingError: the data breaks off
        """
        for stage in self._stages:
            stage.finish()

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._given += len(piece)
            if self._given > self._limits.max_bytes:
                raise CodingError("it unpacks to too many bytes")
            if self._given > max(self._limits.free_bytes, self._limits.ratio * self._taken):
                raise CodingError("it unpacks to too many bytes for its size")
            yield piece


def _through(stages: list[_Stage], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    for piece in stages[0].feed(data):
        yield from _through(stages[1:], piece)


class _Packer(Protocol):
    def feed(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...

    def finish(self) -> bytes: ...


class _PackZlib:
    def __init__(self, wbits: int) -> None:
        self._zip = zlib.compressobj(level=6, wbits=wbits)

    def feed(self, data: bytes) -> bytes:
        return self._zip.compress(data)

    def flush(self) -> bytes:
        return self._zip.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._zip.flush()


class _PackBrotli:
    def __init__(self) -> None:
        self._zip = brotli.Compressor(quality=4, lgwin=20)

    def feed(self, data: bytes) -> bytes:
        return bytes(self._zip.process(data))

    def flush(self) -> bytes:
        return bytes(self._zip.flush())

    def finish(self) -> bytes:
        return bytes(self._zip.finish())


class _PackZstd:
    def __init__(self) -> None:
        self._zip = zstandard.ZstdCompressor(level=3).compressobj()

    def feed(self, data: bytes) -> bytes:
        return self._zip.compress(data)

    def flush(self) -> bytes:
        return self._zip.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._zip.flush()


def _packer(coding: str) -> _Packer:
    if coding == "br":
        return _PackBrotli()
    return _PackZstd() if coding == "zstd" else _PackZlib({"gzip": 31, "deflate": 15}[coding])


class Encoder:
    """Puts the codings of one body on again, in the order in which they were applied."""

    def __init__(self, codings: Iterable[str]) -> None:
        self._packers = [_packer(coding) for coding in codings]

    def feed(self, data: bytes) -> bytes:
        """What is ready after ``data``; may be empty."""
        for packer in self._packers:
            data = packer.feed(data)
        return data

    def flush(self) -> bytes:
        """Everything fed so far, so that a reader can have it now (an event of a stream)."""
        data = b""
        for packer in self._packers:
            data = packer.feed(data) + packer.flush()
        return data

    def finish(self) -> bytes:
        """The end; may be called once."""
        data = b""
        for packer in self._packers:
            data = packer.feed(data) + packer.finish()
        return data


def encode(data: bytes, codings: Iterable[str]) -> bytes:
    """``data`` with the codings put on, as a whole."""
    encoder = Encoder(codings)
    return encoder.feed(data) + encoder.finish()
