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
    """One small file a bottle in *directory* (0700, below the run directory: gone after a reboot)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, bottle: str, pid: int) -> Recorded | None:
        """Remember *pid* as *bottle*'s sidecar; a process that is gone already leaves no record."""
        start = process_start(pid)
        if start is None:
            return None
        temporary = self._directory / f".{parse_identity(bottle)}"
        temporary.write_text(f"{pid} {start}\n", encoding="ascii")
        temporary.replace(self._directory / parse_identity(bottle))
        return Recorded(pid, start)

    def discard(self, bottle: str, recorded: Recorded) -> None:
        """Remove *bottle*'s record if it is still this one, not a later launch's."""
        if self._read(bottle) == recorded:
            (self._directory / parse_identity(bottle)).unlink(missing_ok=True)

    def read_all(self) -> dict[str, Recorded]:
        """Every record that can be read; what can't be is no record."""
        found = {}
        for name in sorted(os.listdir(self._directory)):
            recorded = self._read(name)
            if recorded is not None:
                found[name] = recorded
        return found

    def _read(self, bottle: str) -> Recorded | None:
        try:
            words = (self._directory / parse_identity(bottle)).read_text(encoding="ascii").split()
            return Recorded(int(words[0]), int(words[1]))
        except (BadIdentity, OSError, ValueError, IndexError):
            return None
