"""The one way to a compiled set of patterns, and where compiled sets may be kept.

Compiling all of ours takes two seconds; reading them back a millisecond. Whoever starts a process may offer a place
to keep them in (:func:`keep_in`): ``dlp`` itself neither reads nor writes files. What is made of secrets does not
come this way (``known_literals``), and is kept nowhere.

A kept database is trusted as the code is: Hyperscan checks its length and checksum when it is read, not its sense.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import hyperscan

Row = tuple[bytes, int, int]
"""pattern, number, flags"""


class Keeper(Protocol):
    """Keeps bytes under a name of 64 hexadecimal digits. Raises nothing: what can't be kept is not."""

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, data: bytes) -> None: ...


_keeper: Keeper | None = None


def keep_in(keeper: Keeper | None) -> None:
    """Use *keeper* from now on; for the whole process."""
    global _keeper
    _keeper = keeper


def compiled(rows: Sequence[Row]) -> hyperscan.Database:
    """A block-mode database of *rows*, with scratch space for one thread.

    Raises ``hyperscan.error`` for a bad pattern.
    """
    if _keeper is None:
        return _made(rows)
    name = _name(rows)
    kept = _keeper.get(name)
    if kept is not None:
        try:
            return _ready(hyperscan.loadb(kept, mode=hyperscan.HS_MODE_BLOCK))
        except hyperscan.error:
            pass  # of another machine, or damaged: made anew
    made = _made(rows)
    _keeper.put(name, hyperscan.dumpb(made))
    return made


def _made(rows: Sequence[Row]) -> hyperscan.Database:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=[pattern for pattern, _, _ in rows],
        ids=[number for _, number, _ in rows],
        elements=len(rows),
        flags=[flags for _, _, flags in rows],
    )
    return _ready(made)


def _ready(database: hyperscan.Database) -> hyperscan.Database:
    database.scratch = hyperscan.Scratch(database)
    return database


def _name(rows: Sequence[Row]) -> str:
    engine = getattr(hyperscan, "__version__", "")
    return hashlib.sha256(repr((engine, list(rows))).encode()).hexdigest()
