"""From places in decoded data back to the text: the smallest span that holds them. Worked out on a hit only."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from msgspec import Struct


class Piece(Struct, frozen=True):
    """A stretch of decoded data and what it came from."""

    out: int
    """where it begins in the decoded data"""
    start: int
    end: int
    """its source"""
    copied: bool
    """each byte stands for itself; otherwise the stretch can only be named as a whole"""


class PieceMap:
    """Decoded data that was put together of pieces, in order."""

    def __init__(self, pieces: list[Piece]) -> None:
        self._pieces = pieces
        self._outs = [piece.out for piece in pieces]

    def where(self, start: int, end: int) -> tuple[int, int]:
        first = self._piece(start)
        last = self._piece(end - 1)
        low = first.start + (start - first.out) if first.copied else first.start
        high = last.start + (end - last.out) if last.copied else last.end
        return low, high

    def _piece(self, offset: int) -> Piece:
        return self._pieces[max(0, bisect_right(self._outs, offset) - 1)]


class Units:
    """Characters of an alphabet in a stretch of text, between which others may stand (line breaks, separators)."""

    def __init__(self, text: bytes, start: int, end: int, stretches: re.Pattern[bytes]) -> None:
        """``stretches``: finds in the text what its group 1 holds of the alphabet; without it: a separator."""
        self._segment = text[start:end]
        self._base = start
        self._pattern = stretches
        self._counts: list[int] | None = None
        self._starts: list[int] = []

    def place(self, index: int) -> int:
        """Where the character number *index* stands in the text."""
        if self._counts is None:
            self._counts = []
            count = 0
            for start, end in self._stretches():
                self._counts.append(count)
                self._starts.append(start)
                count += end - start
        at = max(0, bisect_right(self._counts, index) - 1)
        return self._base + self._starts[at] + index - self._counts[at]

    def _stretches(self) -> Iterator[tuple[int, int]]:
        for match in self._pattern.finditer(self._segment):
            if match.start(1) >= 0:
                yield match.span(1)


class GroupMap:
    """Characters of ``bits`` bits each, from the character number ``phase`` on, were decoded to bytes."""

    def __init__(self, units: Units, phase: int, bits: int) -> None:
        self._units = units
        self._phase = phase
        self._bits = bits

    def where(self, start: int, end: int) -> tuple[int, int]:
        first = self._phase + start * 8 // self._bits
        last = self._phase + (end * 8 - 1) // self._bits
        return self._units.place(first), self._units.place(last) + 1
