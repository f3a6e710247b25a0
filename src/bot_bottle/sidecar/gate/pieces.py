"""A large file for ``gitleaks stdin``, so that none of it falls between two of its chunks.

Measured (8.26): it cuts its input at the next blank line, and where there is none within 25 KB, at any byte; what
stands across such a cut is not found. So the file comes in pieces with a blank line after each, and each begins with
the end of the one before: whatever is not longer than that is whole in one of them. The lines that it reports are
counted from the beginning of its chunk (8.26), so they say nothing.
"""

from __future__ import annotations

PIECE_BYTES = 12 * 1024
OVERLAP_BYTES = 4 * 1024
"""the longest thing that is found for certain; longer keys are the product's own scanner's, which has no chunks"""
_END = b"\n\n"


class Pieces:
    """Of one file, in its order. Memory: a piece."""

    def __init__(self) -> None:
        self._rest = b""
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        """What is to be given out now."""
        self._rest += data
        out = bytearray()
        while len(self._rest) >= PIECE_BYTES:
            out += self._piece(self._rest[:PIECE_BYTES])
            self._rest = self._rest[PIECE_BYTES:]
        return bytes(out)

    def finish(self) -> bytes:
        return self._piece(self._rest) if self._rest else b""

    def _piece(self, new: bytes) -> bytes:
        whole = self._tail + new
        self._tail = whole[-OVERLAP_BYTES:]
        return whole + _END
