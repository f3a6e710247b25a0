"""Which process is which bottle's sidecar, on disk, for a daemon that comes after one that was killed.

A sidecar ends by itself when its launcher is gone; one that hangs, or was taken over, does not. The record
is what lets a later daemon end it. A number alone could be another process's by then, so the start time
goes with it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base.ids import BadIdentity, parse_identity
from bot_bottle.controller.pidfds import kill_exactly
from bot_bottle.ipc.sidecar import KINDS
from bot_bottle.store.records import process_start


@dataclass(frozen=True)
class Recorded:
    """One sidecar of an earlier moment."""

    pid: int
    start: int

    def kill(self) -> bool:
        """End it, if that very process still runs."""
        return kill_exactly(self.pid, self.start)


class Records:
    """One small file a sidecar, ``BOTTLE.KIND``, in *directory* (0700, below the run directory: gone after a
    reboot)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, bottle: str, kind: str, pid: int) -> Recorded | None:
        """Remember *pid* as *bottle*'s sidecar of *kind*; a process that is gone already leaves no record."""
        start = process_start(pid)
        if start is None:
            return None
        name = _name(bottle, kind)
        temporary = self._directory / f".{name}"
        temporary.write_text(f"{pid} {start}\n", encoding="ascii")
        temporary.replace(self._directory / name)
        return Recorded(pid, start)

    def discard(self, bottle: str, kind: str, recorded: Recorded) -> None:
        """Remove the record of *bottle*'s sidecar of *kind* if it is still this one, not a later launch's."""
        if self._read(bottle, kind) == recorded:
            (self._directory / _name(bottle, kind)).unlink(missing_ok=True)

    def read_all(self) -> list[tuple[str, str, Recorded]]:
        """Bottle, kind and process of every record that can be read; what can't be is no record."""
        found = []
        for name in sorted(os.listdir(self._directory)):
            bottle, _, kind = name.partition(".")
            recorded = self._read(bottle, kind)
            if recorded is not None:
                found.append((bottle, kind, recorded))
        return found

    def _read(self, bottle: str, kind: str) -> Recorded | None:
        try:
            words = (self._directory / _name(bottle, kind)).read_text(encoding="ascii").split()
            return Recorded(int(words[0]), int(words[1]))
        except (BadIdentity, OSError, ValueError, IndexError):
            return None


def _name(bottle: str, kind: str) -> str:
    """Raises BadIdentity, and ValueError for what is no kind."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of sidecar")
    return f"{parse_identity(bottle)}.{kind}"
