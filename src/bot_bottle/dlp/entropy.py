"""Shannon entropy, and the detector that is nothing but it: a warning, on routes that ask for it (ruling 16).

Linear: a text is cut into blocks of 32 bytes, and each is counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import log2

from bot_bottle.dlp.finding import Hit, Severity

WINDOW = 64
STEP = 32
FLOOR = 5.5
"""bits a character; 64 random base64 characters have 5.3 to 5.7, English prose 4.2, hexadecimal 3.9"""

RULE = "high-entropy-window"
REASON = "a run of 64 characters that is as good as random"

_PART = tuple(0.0 if not count else count * log2(count) for count in range(WINDOW + 1))


def bits(text: bytes) -> float:
    """Bits a character of *text*, from its own frequencies; 0 for nothing."""
    return _bits(Counter(text).values(), len(text)) if text else 0.0


def _bits(counts: Iterable[int], size: int) -> float:
    if size <= WINDOW:
        return log2(size) - sum([_PART[count] for count in counts]) / size
    return log2(size) - sum([count * log2(count) for count in counts]) / size


MOST_DISTINCT = 2**FLOOR
"""Fewer different characters than this can't reach the floor whatever their frequencies."""

_OTHERS = bytes(0 if byte in b"abcdefghijklmnopqrstuvwxyz \t\r\n" else 1 for byte in range(256))
LEAST_OTHERS = 18
"""Of a window at the floor, neither small letters nor spaces. A character that stands there *c* times costs
*c* log2 *c* of the 32 bits that a window may lack of six a character: thirty different ones cost nothing, each that
comes a second time two bits, so there is room for 46."""


def windows(text: bytes) -> list[Hit]:
    """Each stretch of *text* whose windows reach :data:`FLOOR`; windows that touch are one hit.

    A text shorter than a window is judged as one; the last window ends where the text does.
    """
    found: list[tuple[int, int]] = []
    for start in _likely(text):
        window = text[start : start + WINDOW]
        if len(set(window)) < MOST_DISTINCT or bits(window) < FLOOR:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], start + len(window))
        else:
            found.append((start, start + len(window)))
    return [Hit(RULE, start, end, REASON, exact=False, severity=Severity.WARN) for start, end in found]


def _likely(text: bytes) -> Iterator[int]:
    """Where windows begin that are not mostly small letters and spaces; the last one always."""
    last = max(0, len(text) - WINDOW)
    marked = text.translate(_OTHERS)
    others = [marked.count(1, start, start + STEP) for start in range(0, len(text), STEP)]
    for number, (first, second) in enumerate(pairwise(others)):
        start = number * STEP
        if start < last and first + second >= LEAST_OTHERS:
            yield start
    yield last
