"""Text as it is read: look-alikes folded to ASCII, what is not seen left out, with the way back to the bytes.

Only stretches matter in which token characters stand together with characters that fold to such: the rest of a text
says the same either way. So the result holds those stretches alone, with some of their surroundings, and there is
none for ASCII, for Chinese, for prose with dashes and accents.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from bot_bottle.dlp import lookalikes

MIN_STRETCH = 12
"""characters, folded ones among them; shorter is no credential"""
MARGIN = 64
"""characters of surroundings on each side: key words of a rule, a boundary"""
_DENSE = 16
"""one byte in so many is not ASCII: then stretches are searched for as such"""
_ASCII = re.escape(lookalikes.TOKEN_CHARS)


class Normalised:
    """The stretches of a text, folded, each on its own line."""

    def __init__(self, original: str, spans: list[tuple[int, int]]) -> None:
        """``original`` as read by :func:`read`; ``spans`` count its characters."""
        self._original = original
        self._spans = spans
        self._starts: list[int] = []
        parts, size = [], 0
        for start, end in spans:
            part = original[start:end].translate(lookalikes.table()).encode("utf-8", "surrogateescape")
            self._starts.append(size)
            parts.append(part)
            size += len(part) + 1
        self.data = b"\n".join(parts)

    def where(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the original bytes that holds ``data[start:end]``."""
        first = self._char(start, is_end=False)
        return _bytes(self._original[:first]), _bytes(self._original[: self._char(end, is_end=True)])

    def _char(self, offset: int, *, is_end: bool) -> int:
        """The original's character that holds byte *offset* of ``data``; for an end, the one after the last."""
        at = max(0, bisect_right(self._starts, offset - is_end) - 1)
        start, end = self._spans[at]
        left = offset - self._starts[at]
        for place in range(start, end):
            size = _bytes(lookalikes.table().get(ord(self._original[place]), self._original[place]))
            if left < size or (is_end and left == size and size):
                return place + 1 if is_end else place
            left -= size
        return end


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def read(text: bytes) -> str:
    """UTF-8; a byte that is none stands for itself (an escape surrogate)."""
    return text.decode("utf-8", "surrogateescape")


def normalise(text: bytes) -> Normalised | None:
    """None: no part of *text* reads as other token characters than it has."""
    if text.isascii():
        return None
    string = read(text)
    spans = list(_merged(_stretches(string, len(text)), len(string)))
    return Normalised(string, spans) if spans else None


def _stretches(string: str, size: int) -> Iterator[tuple[int, int]]:
    folding, stretch = _patterns()
    if (size - len(string)) * _DENSE < size:
        yield from _around(string, folding)
        return
    for match in stretch.finditer(string):
        if not match.group().isascii() and folding.search(match.group()):
            yield match.span()


def _around(string: str, folding: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Few characters fold: look left and right of each."""
    run = _run()
    start = end = 0
    for match in folding.finditer(string):
        at = match.start()
        if at < end:
            continue
        before = string[max(0, at - 4 * MARGIN) : at]
        start = at - (len(before) - len(before.rstrip(lookalikes.TOKEN_CHARS)))
        found = run.match(string, at)
        end = found.end() if found else at + 1
        if end - start >= MIN_STRETCH:
            yield start, end


def _merged(spans: Iterator[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """With margins; what then overlaps is one."""
    held: tuple[int, int] | None = None
    for start, end in spans:
        start, end = max(0, start - MARGIN), min(size, end + MARGIN)
        if held and start <= held[1]:
            held = (held[0], end)
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """One character that folds; a stretch that may hold one. Single classes: linear."""
    chars = _class()
    return re.compile(f"[{chars}]"), re.compile(f"[{_ASCII}{chars}]{{{MIN_STRETCH},}}")


@cache
def _run() -> re.Pattern[str]:
    return re.compile(f"[{_ASCII}{_class()}]*")


@cache
def _class() -> str:
    """The inside of a character class: ranges of what folds."""
    codes = sorted(lookalikes.table())
    out, start = [], 0
    for at in range(1, len(codes) + 1):
        if at == len(codes) or codes[at] != codes[at - 1] + 1:
            out.append(f"{re.escape(chr(codes[start]))}-{re.escape(chr(codes[at - 1]))}")
            start = at
    return "".join(out)
