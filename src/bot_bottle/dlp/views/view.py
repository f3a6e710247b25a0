"""What :func:`bot_bottle.dlp.views.find.find_views` gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

Where = Callable[[int, int], tuple[int, int]]
"""offsets of decoded data to the smallest span of the text that holds them"""


class Undecoded(Struct, frozen=True):
    """A candidate that could not be looked at, or not to its end: it may hide anything (ruling 53)."""

    kind: str
    start: int
    end: int


class View(Struct):
    """One candidate, decoded by one layer."""

    kind: str
    """how it was read: ``base64``, ``hex``, ``escapes``, ``gzip`` and so on"""
    data: bytes
    start: int
    end: int
    """the part of the candidate that lies in this text"""
    fresh: int
    """so many leading bytes of ``data`` were the end of this candidate's view before"""
    goes_on: bool
    """the candidate touches the end of the text and is kept: the next call shows what comes, and of this only the
    overlap, which ``fresh`` then covers"""
    _where: Where | None
    _inner: Callable[[], Iterator[View | Undecoded]] | None

    def where(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the text that holds ``data[start:end]``; packed: all of the candidate's part."""
        return self._where(start, end) if self._where and start < end else (self.start, self.end)

    def views(self) -> Iterator[View | Undecoded]:
        """The views inside this one. Take them all, at most once, before the item after this one."""
        inner, self._inner = self._inner, None
        return inner() if inner else iter(())
