"""Many literals at once, by Hyperscan. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

import hyperscan

_SLOW = ((24, 110), (250, 1000))
_ALPHABET = b"JQXZKVWYBGHPFMUC0123456789jqxzkv"

Literal = tuple[bytes, bool]
"""And whether case does not count"""


class Literals:
    """A database of literals. Of one thread (scratch space). *pad*: it is for text as it is, and has literals of
    fewer than eight characters."""

    def __init__(self, literals: Sequence[Literal], pad: bool = False) -> None:
        self._count = len(literals)
        plain = [(number, *literal) for number, literal in enumerate(literals) if b"\0" not in literal[0]]
        zeros = [(number, *literal) for number, literal in enumerate(literals) if b"\0" in literal[0]]
        if pad:
            plain += [(len(literals), _unlikely(number), False) for number in range(_padding(len(plain)))]
        self._databases = [_compiled(part, part is plain) for part in (plain, zeros) if part]

    def scan(self, text: bytes) -> list[tuple[int, int]]:
        """Number and end of each literal in *text*, by their ends."""
        found: list[tuple[int, int]] = []
        if not text:
            return found
        note = self._noting(found)
        for database in self._databases:
            database.scan(text, match_event_handler=note)
        if len(self._databases) > 1:
            found.sort(key=itemgetter(1))
        return found

    def _noting(self, found: list[tuple[int, int]]) -> Callable[[int, int, int, int, object], None]:
        append, count = found.append, self._count

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if number < count:
                append((number, end))

        return note


def _compiled(literals: Sequence[tuple[int, bytes, bool]], literal: bool) -> hyperscan.Database:
    """*literal*: by the compiler for literals, which is quicker but ends them at a zero byte (0.9.1)."""
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=[text if literal else _escaped(text) for _number, text, _folds in literals],
        ids=[number for number, _text, _folds in literals],
        elements=len(literals),
        flags=[hyperscan.HS_FLAG_CASELESS if folds else 0 for _number, _text, folds in literals],
        literal=literal,
    )
    return made


def _padding(count: int) -> int:
    """From some 24 to 110 and from 250 to 1,000 short literals Hyperscan takes matchers that are two to five times
    as slow as the one that it takes for more: so there are more, which hardly any text has. (Measured, 0.9.1.)"""
    return next((slow_to - count for slow_from, slow_to in _SLOW if slow_from <= count < slow_to), 0)


def _unlikely(number: int) -> bytes:
    """Eight letters by chance, always the same. (Literals that look alike take long to compile.)"""
    value = pow(6364136223846793005, number + 3, 2**61 - 1)
    return bytes(_ALPHABET[value >> shift & 31] for shift in range(0, 40, 5))


def _escaped(text: bytes) -> bytes:
    """As a pattern, in which zero bytes can stand."""
    return b"".join(bytes([byte]) if bytes([byte]).isalnum() else b"\\x%02x" % byte for byte in text)
