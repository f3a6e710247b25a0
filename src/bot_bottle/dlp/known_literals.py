"""Many literals at once, by Hyperscan. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import hyperscan

_SLOW = ((24, 110), (250, 1000))


class Literals:
    """A Hyperscan database of literals, each with whether case does not count. Of one thread (scratch space)."""

    def __init__(self, literals: Sequence[tuple[bytes, bool]]) -> None:
        self._count = len(literals)
        self._database: hyperscan.Database | None = None
        if not literals:
            return
        padded = [*literals, *_padding(len(literals))]
        simple = all(text.isalnum() for text, _folds in padded)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[text if simple else _escaped(text) for text, _folds in padded],
            ids=list(range(len(padded))),
            elements=len(padded),
            flags=[hyperscan.HS_FLAG_CASELESS if folds else 0 for _text, folds in padded],
            literal=simple,
        )

    def scan(self, text: bytes) -> list[tuple[int, int]]:
        """Number and end of each literal in *text*, by their ends."""
        found: list[tuple[int, int]] = []
        if self._database is not None and text:
            self._database.scan(text, match_event_handler=self._noting(found))
        return found

    def _noting(self, found: list[tuple[int, int]]) -> Callable[[int, int, int, int, object], None]:
        append, count = found.append, self._count

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if number < count:
                append((number, end))

        return note


def _padding(count: int) -> list[tuple[bytes, bool]]:
    """From some 24 to 110 and from 250 to 1,000 literals Hyperscan takes matchers that are two to five times as slow
    as the one that it takes for more: so there are more, which hardly any text has. (Measured on text, 0.9.1.)"""
    for slow_from, slow_to in _SLOW:
        if slow_from <= count < slow_to:
            return [(_unlikely(number), False) for number in range(slow_to - count)]
    return []


def _unlikely(number: int) -> bytes:
    """Eight letters by chance, always the same. (Literals that look alike take long to compile.)"""
    value = pow(6364136223846793005, number + 3, 2**61 - 1)
    return bytes(_ALPHABET[value >> shift & 31] for shift in range(0, 40, 5))


_ALPHABET = b"JQXZKVWYBGHPFMUC0123456789jqxzkv"


def _escaped(text: bytes) -> bytes:
    """As a pattern, in which zero bytes can stand."""
    return b"".join(bytes([byte]) if bytes([byte]).isalnum() else b"\\x%02x" % byte for byte in text)
