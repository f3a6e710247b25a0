"""Text as it is read: look-alikes folded to ASCII, what is not seen left out, with the way back to the bytes.

Only stretches matter in which token characters stand together with characters that fold to such: the rest of a text
says the same either way. So the result holds those stretches alone, with some of their surroundings, and there is
none for ASCII, for Chinese, and for most prose with dashes and accents. A native pass says where to look.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

import hyperscan as hs

from bot_bottle.dlp import lookalikes
from bot_bottle.dlp.views.triggers import Matcher, Place

MIN_STRETCH = 14
"""characters, folded ones among them; a shorter one is looked at only where that is chance"""
MIN_WORD = 20
"""characters from which on a stretch without a digit counts: words have accents, credentials have digits"""
MARGIN_BYTES = 96
"""of surroundings on each side: key words of a rule, a boundary"""
_LOOKBACK_BYTES = 1024
_TOKEN = rb"[A-Za-z0-9+/=_.~:@%-]"
_FOLDING = (
    rb"(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1\xe2\xea\xef][\x80-\xbf]{2}"
    rb"|\xe3(?:\x85\xa4|[\x88-\x8f][\x80-\xbf])|\xf0[\x90\x9d-\x9f\xaf][\x80-\xbf]{2}|\xf3\xa0[\x80-\xbf]{2})"
)
"""UTF-8 of the blocks of ``lookalikes``; not of ideographs, kana and Hangul"""
_SIDE = rb"(?:%b|%b){%d}" % (_TOKEN, _FOLDING, MIN_STRETCH // 2 - 1)
_WORD = (
    bytes(range(0x80, 0xC0))
    + b"\xc3\xc4\xc5"
    + lookalikes.TOKEN_CHARS.replace("0123456789", "").encode("ascii")
)
"""what words of Latin letters are made of"""
_GREEK = bytes(range(0x80, 0xC0)) + bytes(range(0xCE, 0xD5)) + b"-.:"
"""the same of Greek and Cyrillic ones"""
_CHARS = lookalikes.TOKEN_CHARS.encode("ascii") + bytes(range(0x80, 0x100))
_ONWARDS = re.compile(rb"[A-Za-z0-9+/=_.~:@%\x80-\xff-]*")
_STRETCH = re.compile(rb"[A-Za-z0-9+/=_.~:@%%\x80-\xff-]{%d,}" % MIN_STRETCH)
_MANY = 512
"""places in one text, from which on all of it is searched"""
_UNBROKEN = re.compile("[^\n]+")


@cache
def _trigger() -> Matcher:
    """A character that may fold, with half a stretch on one side of it."""
    return Matcher([(_FOLDING + _SIDE, hs.HS_FLAG_DOTALL), (_SIDE + _FOLDING, hs.HS_FLAG_DOTALL)])


class _Breaks(dict[int, int]):
    """For ``str.translate``: what neither folds nor is ASCII becomes a line break. Fills itself."""

    def __missing__(self, code: int) -> int:
        self[code] = code if code < 0x80 or code in lookalikes.table() else 0x0A
        return self[code]


_BREAKS = _Breaks()


class Normalised:
    """The stretches of a text, folded, each on its own line."""

    def __init__(self, text: bytes, spans: list[tuple[int, int]]) -> None:
        self._text = text
        self._spans = spans
        self._starts: list[int] = []
        parts, size = [], 0
        for start, end in spans:
            part = _bytes(_read(text[start:end]).translate(lookalikes.table()))
            self._starts.append(size)
            parts.append(part)
            size += len(part) + 1
        self.data = b"\n".join(parts)

    def where(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the original bytes that holds ``data[start:end]``."""
        return self._place(start)[0], self._place(max(start, end - 1))[1]

    def _place(self, offset: int) -> tuple[int, int]:
        """The span of the original's character that gave the byte *offset* of ``data``."""
        at = max(0, bisect_right(self._starts, offset) - 1)
        low, high = self._spans[at]
        out = self._starts[at]
        for char in _read(self._text[low:high]):
            size = len(_bytes(char))
            out += len(_bytes(lookalikes.table().get(ord(char), char)))
            if out > offset:
                return low, low + size
            low += size
        return high, high


def _read(text: bytes) -> str:
    """UTF-8; a byte that is none stands for itself (an escape surrogate)."""
    return text.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def normalise(text: bytes) -> Normalised | None:
    """None: no part of *text* reads as other token characters than it has."""
    if text.isascii():
        return None
    spans = list(_merged(_stretches(text), text))
    return Normalised(text, spans) if spans else None


def _stretches(text: bytes) -> Iterator[tuple[int, int]]:
    """Spans of what folds, with the token characters around it."""
    places = _trigger().first(text, _MANY)
    spans = _around(text, places) if len(places) < _MANY else _all(text)
    for start, end in spans:
        if not _is_word(text[start:end]):
            yield from _folding(text, start, end)


def _around(text: bytes, places: list[Place]) -> Iterator[tuple[int, int]]:
    """The stretches in which *places* are."""
    done = 0
    for _, place in places:
        if place <= done:
            continue
        low = max(done, place - _LOOKBACK_BYTES)
        start = low + len(text[low:place].rstrip(_CHARS))
        found = _ONWARDS.match(text, place)
        done = found.end() if found else place
        yield start, done


def _all(text: bytes) -> Iterator[tuple[int, int]]:
    """All stretches that are not ASCII: in a language of another alphabet nearly each word is a place."""
    for match in _STRETCH.finditer(text):
        if not match.group().isascii():
            yield match.span()


def _is_word(stretch: bytes) -> bool:
    """A word of a language, shorter than a credential without digits would be."""
    if len(stretch) < MIN_WORD and not stretch.translate(None, _WORD):
        return True
    return len(stretch) < 2 * MIN_WORD and not stretch.translate(None, _GREEK)


def _folding(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a stretch that fold, and are long enough to hold a credential."""
    string = _read(text[start:end])
    at, offset = 0, start
    for match in _UNBROKEN.finditer(string.translate(_BREAKS)):
        part = match.group()
        if part.isascii() or len(part) < MIN_STRETCH // 2:
            continue
        folded = part.translate(lookalikes.table())
        if len(folded) >= MIN_WORD or any(char.isdigit() for char in folded):
            offset += len(_bytes(string[at : match.start()]))
            at = match.end()
            stretch_end = offset + len(_bytes(part))
            yield offset, stretch_end
            offset = stretch_end


def _merged(spans: Iterator[tuple[int, int]], text: bytes) -> Iterator[tuple[int, int]]:
    """With margins, at whole characters; what then overlaps is one."""
    held: tuple[int, int] | None = None
    for start, end in spans:
        start, end = (
            _boundary(text, max(0, start - MARGIN_BYTES)),
            _boundary(text, min(len(text), end + MARGIN_BYTES)),
        )
        if held and start <= held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


def _boundary(text: bytes, at: int) -> int:
    """Where the character begins that *at* lies in."""
    for back in range(4):
        if at - back <= 0 or at == len(text) or text[at - back] & 0xC0 != 0x80:
            return max(0, at - back)
    return at
