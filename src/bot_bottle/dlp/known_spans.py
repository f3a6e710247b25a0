"""Spans that are merged where they overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]


class Spans:
    """Half-open spans of offsets, in order and apart."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __iter__(self) -> Iterator[Span]:
        return iter(zip(self._starts, self._ends, strict=True))

    def hold(self, start: int, end: int) -> bool:
        """Whether one of them holds the whole span."""
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and end <= self._ends[at]
