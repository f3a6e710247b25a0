"""One piece of packed data in work: what came out of it, in pieces that overlap, and whether it is over."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.dlp.budget import Budget
from bot_bottle.dlp.views.carry import Carry, OpenPacked
from bot_bottle.dlp.views.packed import Mark
from bot_bottle.dlp.views.unpack import Unpacker

PIECE_BYTES = 64 * 1024
"""of what comes out, judged at once"""
OVERLAP_BYTES = 4096
"""of the piece before, that the next begins with: longer than any credential"""


class Piece(Struct, frozen=True):
    data: bytes
    fresh: int
    closes: bool
    """nothing follows"""


class Job:
    """See the module. ``pieces`` may be called again with a new share while it is ``paused``."""

    def __init__(
        self,
        text: bytes,
        kind: str,
        start: int,
        at: int,
        unpacker: Unpacker,
        inner: Carry,
        tail: bytes,
        given: int,
    ) -> None:
        self.kind = kind
        self.start = start
        self.unpacker = unpacker
        self.inner = inner
        self.tail = tail
        self.given = given
        self.paused = False
        """its share is used up"""
        self._held = b""
        unpacker.give(text, at)

    @classmethod
    def new(cls, text: bytes, mark: Mark) -> Job:
        return cls(text, mark.kind, mark.start, mark.start, mark.unpacker(), Carry(), b"", 0)

    @classmethod
    def carried(cls, text: bytes, one: OpenPacked, fresh: int) -> Job:
        return cls(text, one.kind, 0, fresh, one.unpacker, one.inner, one.tail, one.given)

    @property
    def end(self) -> int:
        """How far it goes, as far as is known."""
        return max(self.start + 1, self.unpacker.used())

    @property
    def refused(self) -> bool:
        return self.unpacker.refused

    @property
    def open(self) -> bool:
        """It goes on behind the text."""
        return not (self.paused or self.unpacker.done)

    def pieces(self, share: Budget, is_last: bool) -> Iterator[Piece]:
        """What comes out as far as *share* goes. ``is_last``: nothing follows the text."""
        self.paused = False
        data = self._held or self._read(share)
        self._held = b""
        while data:
            if not share.left:
                self._held, self.paused = data, True
                return
            following = self._read(share)
            yield self._piece(data, not following and (self.unpacker.done or is_last))
            data = following

    def rest(self) -> Iterator[Piece]:
        """What came out already of a job that is given up."""
        data, self._held = self._held, b""
        if data:
            yield self._piece(data, True)

    def _piece(self, data: bytes, closes: bool) -> Piece:
        whole, fresh = self.tail + data, len(self.tail)
        self.tail = whole[-OVERLAP_BYTES:]
        self.given += len(data)
        return Piece(whole, fresh, closes)

    def _read(self, share: Budget) -> bytes:
        """Input is paid for too, at an eighth: so that many marks can't have the same data read again and again."""
        parts, size, most = [], 0, min(PIECE_BYTES, share.left)
        before = self.unpacker.used()
        while size < most and (out := self.unpacker.read(most - size)):
            parts.append(out)
            size += len(out)
        share.spend(size + max(0, self.unpacker.used() - before) // 8)
        return b"".join(parts)
