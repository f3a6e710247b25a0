"""Escapes stand here and there in a text: only what is around them is read again."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from bot_bottle.dlp.views.spans import Piece, PieceMap

MARGIN_BYTES = 256
"""of text on each side of an escape: a token, and the words that a rule wants to see near it"""
MANY = 64
"""escapes in a text, from which on all of it is read again"""
MAX_PASSES = 10
"""escapes within escapes"""
_APART = b" " * 96 + b"Q7Z9" + b" " * 96
"""Between parts that are read as one: wider than a rule looks around, and letters, so that nothing spans it"""
Unescape = Callable[[bytes], bytes]
Units = Callable[[bytes], list[int]]


def regions(places: Iterable[int], size: int) -> Iterator[tuple[int, int]]:
    """Spans of a text of *size* bytes around *places*, which ascend; together with :data:`MANY`: to the end."""
    start = end = -1
    for count, place in enumerate(places, 1):
        low = max(0, place - MARGIN_BYTES)
        if low > end:
            if end > 0:
                yield start, end
            start = low
        end = size if count >= MANY else min(size, place + MARGIN_BYTES)
        if end == size:
            break
    if end > 0:
        yield start, end


class Unescaped:
    """A part of a text with its escapes replaced, and those in the result, until none is left."""

    def __init__(
        self,
        text: bytes,
        base: int,
        pattern: re.Pattern[bytes],
        one: Unescape,
        units: Units,
        passes: int = MAX_PASSES,
    ) -> None:
        """``one`` replaces a match of *pattern*; ``units`` cuts a match into the lengths of its single escapes."""
        self._base = base
        self._pattern = pattern
        self._one = one
        self._units = units
        self._steps = [text]
        self._maps: list[PieceMap] | None = None
        for _ in range(passes):
            data = pattern.sub(self._replace, self._steps[-1])
            if data == self._steps[-1]:
                break
            self._steps.append(data)

    @property
    def data(self) -> bytes:
        return self._steps[-1]

    @property
    def changed(self) -> bool:
        return len(self._steps) > 1

    def _replace(self, match: re.Match[bytes]) -> bytes:
        return self._one(match.group())

    def where(self, start: int, end: int) -> tuple[int, int]:
        if self._maps is None:
            self._maps = [PieceMap(self._pieces(step)) for step in self._steps[:-1]]
        for step in reversed(self._maps):
            start, end = step.where(start, end)
        return self._base + start, self._base + end

    def _pieces(self, text: bytes) -> list[Piece]:
        pieces, out, at = [], 0, 0
        for match in self._pattern.finditer(text):
            start = match.start()
            if start > at:
                pieces.append(Piece(out, at, start, True))
                out += start - at
            for size in self._units(match.group()):
                made = len(self._one(text[start : start + size]))
                if made:
                    pieces.append(Piece(out, start, start + size, False))
                out += made
                start += size
            at = match.end()
        pieces.append(Piece(out, at, len(text), True))
        return pieces


class Joined:
    """Several parts of a text, put together: one view costs much more than its bytes."""

    def __init__(self, parts: list[Unescaped]) -> None:
        """*parts*: those of one text, one at least, in order."""
        self._parts = parts
        self._starts: list[int] = []
        size = 0
        for part in parts:
            self._starts.append(size)
            size += len(part.data) + len(_APART)
        self.data = _APART.join(part.data for part in parts)

    def where(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the text that holds ``data[start:end]``."""
        first, last = self._part(start), self._part(max(start, end - 1))
        low, high = self._in_part(first, start, end)
        return (low, high) if first == last else (low, self._in_part(last, start, end)[1])

    def _part(self, offset: int) -> int:
        return bisect_right(self._starts, offset) - 1

    def _in_part(self, number: int, start: int, end: int) -> tuple[int, int]:
        part, base = self._parts[number], self._starts[number]
        size = len(part.data)
        low = min(max(0, start - base), size - 1)
        return part.where(low, max(low + 1, min(end - base, size)))
