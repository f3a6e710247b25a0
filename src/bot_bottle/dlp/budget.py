"""How many bytes may be decoded, and whose share they come from (ruling 53: decoys don't blind the scanner).

A stream has one :class:`Budget` of :data:`FACTOR` bytes for each byte of the stream, at least :data:`MIN_BYTES`.
What is decoded is paid for from :class:`Shares`: half of what there is is set aside for the candidates of a text, by
their weight, and none can touch what is set aside for those after it; the other half is for who needs more. Nothing
is used up by a candidate that decodes to little. One that did not get through is told (``Undecoded``).
"""

from __future__ import annotations

FACTOR = 4
"""decoded bytes for one byte of the text (dlp.md section 1)"""
MIN_BYTES = 1024 * 1024
"""decoded bytes that any text may have"""
FLOOR_BYTES = 1024
"""least share of a candidate, also when the budget is used up: a bound on work, not an allowance"""


class Budget:
    """Bytes that may still be decoded; 0 when used up, never negative."""

    __slots__ = ("_factor", "_grown", "_limit", "_spent")

    def __init__(self, text_bytes: int = 0, *, min_bytes: int = MIN_BYTES, factor: int = FACTOR) -> None:
        """For a stream; ``text_bytes`` is what is known of its size already (further text: :meth:`grow`)."""
        self._limit = min_bytes
        self._factor = factor
        self._grown = text_bytes
        self._spent = 0

    @property
    def left(self) -> int:
        return max(0, max(self._limit, self._factor * self._grown) - self._spent)

    def grow(self, text_bytes: int) -> None:
        """The stream has gone on by so many bytes."""
        self._grown += text_bytes

    def spend(self, size: int) -> None:
        """Decoded *size* bytes. More than is left may be spent (a floor); then nothing is left."""
        self._spent += size

    def share(self, size: int) -> Budget:
        """A budget of *size* bytes, at least the floor. What it spends is charged with :meth:`charge`."""
        return Budget(min_bytes=max(FLOOR_BYTES, size), factor=0)

    def charge(self, share: Budget) -> None:
        """Take what *share* has spent from this budget; afterwards the share is of no more use."""
        self._spent += share._spent
        share._spent = 0

    @property
    def spent(self) -> int:
        return self._spent


class Shares:
    """Portions of a budget for candidates that come one after the other."""

    def __init__(self, budget: Budget, weights: list[int]) -> None:
        total = sum(weights)
        aside = budget.left // 2
        self._budget = budget
        self._aside = [aside * weight // max(1, total) for weight in weights]
        self._kept = sum(self._aside)
        self._number = 0

    def next(self) -> int:
        """What the next candidate may spend: all that is left and not set aside for others."""
        self._kept -= self._aside[self._number]
        self._number += 1
        return max(0, self._budget.left - self._kept)
