"""Packed data in a text: gzip, zlib, zstd, the entries of zip archives, bzip2, xz; raw deflate and brotli as a whole.

So far as a format is only a container around deflate (PDF streams, PNG text chunks, docx, jar), the marks of what is
inside suffice. Of the pixels of a PNG only the beginning is read: they are no text, and unpack to much.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator

from msgspec import Struct

from bot_bottle.dlp.views.shapes import has_text
from bot_bottle.dlp.views.triggers import Sign
from bot_bottle.dlp.views.unpack import Brotli, Inflate, Other, Refused, Unpacker, Zstd
from bot_bottle.dlp.zstdframes import WINDOW_BYTES

_PROBE_BYTES = 1024
_SURE_BYTES = 14
"""of deflate hold no credential, so an error in them is no loss"""
MIN_BYTES = 8
"""less was no packed data"""
MIN_PACKED = 16
"""bytes; less holds no credential"""
HEAD_BYTES = 64
"""a mark so near to the end of a block is left to the next one, which has it in its overlap"""
_PNG = b"\x89PNG\r\n\x1a\n"
PIXEL_BYTES = 64 * 1024
"""of the image data of a PNG that are looked at; the rest is not, and not told: it unpacks to much, and is no text"""
_ZIP_BYTES = 30
_ENCRYPTED = 1
_STORED, _DEFLATED, _ZSTD = 0, 8, 93
_METHODS = frozenset((*range(15), 16, 18, 19, 20, *range(93, 100)))
"""that have been given out (APPNOTE section 4.4.5)"""
_TEXT = b"\t\n\r" + bytes(range(0x20, 0x7F))


class Mark(Struct, frozen=True):
    """Where packed data begins, and how to unpack it."""

    kind: str
    start: int
    unpacker: Callable[[], Unpacker]
    guessed: bool = False
    """there is no mark: it must unpack to text to count"""


def marks(text: bytes, signs: list[tuple[Sign, int]], low: int, high: int) -> Iterator[Mark]:
    """The packed data that begins in ``text[low:high]``."""
    for sign, start in signs:
        if low <= start < high and len(text) - start >= MIN_PACKED:
            mark = _mark(text, sign, start)
            if mark is not None:
                yield mark


def whole(text: bytes) -> Iterator[Mark]:
    """What *text* may be as a whole, without a mark, or with one that is too weak to look for everywhere."""
    if len(text) < 8 or text[:256].isascii():
        return
    if text[0] & 0x0F == 8 and text[0] >> 4 < 7 and (text[0] << 8 | text[1]) % 31 == 0:
        yield Mark("zlib", 0, lambda: Inflate(15), guessed=True)
    yield Mark("deflate", 0, lambda: Inflate(-15), guessed=True)
    yield Mark("br", 0, Brotli, guessed=True)


def is_packed(text: bytes, mark: Mark) -> bool:
    """Something comes out at *mark*, or it can't be told."""
    if mark.kind == "zlib" and not _inflates(text[mark.start : mark.start + 2 + _SURE_BYTES]):
        return False
    unpacker = mark.unpacker()
    unpacker.give(text, mark.start)
    data = unpacker.read(_PROBE_BYTES)
    if not mark.guessed and (unpacker.refused or not (data or unpacker.done)):
        return True
    enough = len(data) >= MIN_BYTES or (bool(data) and not unpacker.done)
    return enough and (not mark.guessed or _is_text(data))


def _is_text(data: bytes) -> bool:
    """Three quarters are ASCII text: random data unpacks to something now and then, by brotli's dictionary to words."""
    return len(data) >= 2 * MIN_BYTES and 4 * len(data.translate(None, _TEXT)) <= len(data) and has_text(data)


def _inflates(head: bytes) -> bool:
    """No error is in so few bytes; quicker than an unpacker, for a mark of which random data has many."""
    try:
        zlib.decompressobj(wbits=15).decompress(head, 64)
    except zlib.error:
        return False
    return True


def is_packed_whole(head: bytes) -> bool:
    """*head* begins packed data that has no mark."""
    return any(is_packed(head, mark) for mark in whole(head))


def _mark(text: bytes, sign: Sign, start: int) -> Mark | None:
    if sign is Sign.GZIP:
        return Mark("gzip", start, lambda: Inflate(31))
    if sign is Sign.ZLIB:
        if start + 2 < len(text) and text[start + 2] >> 1 & 3 == 3:
            return None
        if text[max(0, start - 4) : start] == b"IDAT" and _PNG in text[:start]:
            return Mark("zlib", start, lambda: Inflate(15, most=PIXEL_BYTES))
        return Mark("zlib", start, lambda: Inflate(15))
    if sign is Sign.ZSTD:
        return Mark("zstd", start, Zstd)
    if sign is Sign.BZIP2:
        return Mark("bzip2", start, lambda: Other(bz2.BZ2Decompressor()))
    if sign is Sign.XZ:
        return Mark("xz", start, _xz)
    return _zip_entry(text, start)


def _xz() -> Unpacker:
    return Other(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * WINDOW_BYTES))


def _zip_entry(text: bytes, start: int) -> Mark | None:
    """A local file header (APPNOTE section 4.3.7): what is stored as it is needs no view."""
    head = text[start : start + _ZIP_BYTES]
    if len(head) < _ZIP_BYTES:
        return None
    flags, method = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    skip = _ZIP_BYTES + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    if head[5] > 20 or head[4] > 99 or method not in _METHODS or skip == _ZIP_BYTES:
        return None
    if flags & _ENCRYPTED:
        return Mark("zip", start, Refused)
    if method == _STORED:
        return None
    if method == _DEFLATED:
        return Mark("zip", start, lambda: Inflate(-15, skip))
    return Mark("zip", start, (lambda: Zstd(skip)) if method == _ZSTD else Refused)
