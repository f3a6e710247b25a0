"""Texts that are written another way throughout, each character for itself: wide, spelled out in hex, turned round."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.dlp.views.regions import regions
from bot_bottle.dlp.views.view import Where

_TEXT = rb"[\t\n\r\x20-\x7e]"
_WIDE = (
    ("utf32le", 4, 0, re.compile(rb"(?:%b\x00\x00\x00){6,}+" % _TEXT)),
    ("utf32be", 4, 3, re.compile(rb"(?:\x00\x00\x00%b){6,}+" % _TEXT)),
    ("utf16le", 2, 0, re.compile(rb"(?:%b\x00){8,}+" % _TEXT)),
    ("utf16be", 2, 1, re.compile(rb"(?:\x00%b){8,}+" % _TEXT)),
)
_ASCII85 = re.compile(rb"<~([!-uz\s]{8,}+)(?:~>)?")


class Plain(Struct, frozen=True):
    """A candidate, decoded."""

    kind: str
    data: bytes
    start: int
    end: int
    where: Where | None


def wide(text: bytes) -> Iterator[Plain]:
    """ASCII text in UTF-16 or UTF-32, either byte order, at any offset."""
    found = [
        (match.start(), -match.end(), kind, size, at)
        for kind, size, at, pattern in _WIDE
        for match in pattern.finditer(text)
    ]
    covered = 0
    for start, minus_end, kind, size, at in sorted(found):
        if -minus_end > covered:  # the same text, one byte later, reads as the other byte order
            covered = -minus_end
            yield Plain(kind, text[start + at : covered : size], start, covered, _Scaled(start, size).where)


class _Scaled:
    """Each byte came from *size* bytes."""

    def __init__(self, base: int, size: int) -> None:
        self._base = base
        self._size = size

    def where(self, start: int, end: int) -> tuple[int, int]:
        return self._base + start * self._size, self._base + end * self._size


def cut_ascii85(text: bytes) -> int | None:
    """Where ascii85 begins that goes on behind the text."""
    start = text.rfind(b"<~")
    found = _ASCII85.match(text, start) if start >= 0 else None
    return start if found and found.end() == len(text) and not text.endswith(b"~>") else None


def ascii85(text: bytes) -> Iterator[Plain]:
    """Between ``<~`` and ``~>``."""
    for match in _ASCII85.finditer(text):
        chars = b"".join(match.group(1).split())
        try:
            data = base64.a85decode(chars)
        except ValueError:
            continue
        yield Plain("ascii85", data, match.start(), match.end(), None)


_PREFIXES = (
    b"ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- sk-ant- sk-proj- sk_live_ rk_live_ xoxb- xoxp- xapp- "
    b"AKIA ASIA AIza npm_ pypi- hf_ dop_v1_ shpat_ SG. eyJ"
).split()
"""beginnings of the credentials that agents meet most: a rotated or reversed text shows by them"""
_REST = rb"[A-Za-z0-9_.-]"
MIRRORED = tuple(
    pattern
    for prefix in _PREFIXES
    for pattern in (
        re.escape(codecs.encode(prefix.decode("ascii"), "rot13").encode("ascii")) + _REST + rb"{16}",
        _REST + rb"{16}" + re.escape(prefix[::-1]),
    )
)
_ROT13 = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm",
)


def mirrored(text: bytes, places: list[int]) -> Iterator[Plain]:
    """What is around *places*, rotated by 13 and reversed."""
    for start, end in regions(places, len(text)):
        part = text[start:end]
        yield Plain("rot13", part.translate(_ROT13), start, end, _Scaled(start, 1).where)
        yield Plain("reversed", part[::-1], start, end, _Reversed(end).where)


class _Reversed:
    def __init__(self, end: int) -> None:
        self._end = end

    def where(self, start: int, end: int) -> tuple[int, int]:
        return self._end - end, self._end - start
