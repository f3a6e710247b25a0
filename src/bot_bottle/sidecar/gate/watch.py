"""Whether a command still gets on: what it writes counts, and for a while the processor time that it uses.

git is silent for minutes where it checks what it got from a large history; a command that waits for a peer who says
nothing uses no time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

STALL_S = 15.0
"""without any progress (git-gate.md §3)"""
SILENT_S = 900.0
"""of work without a word; a check of a history of a million commits takes a few minutes"""
_LOOK_S = 0.5


class Stalled(Exception):
    """A command was given up."""


class Watch:
    """Progress of one command, from its start."""

    def __init__(self, pid: int, *, stall_s: float = STALL_S, silent_s: float = SILENT_S) -> None:
        self._pid, self._stall_s, self._silent_s = pid, stall_s, silent_s
        self._spoke = self._moved = time.monotonic()
        self._ticks = 0

    def moved(self) -> None:
        """Something came, or was taken."""
        self._spoke = self._moved = time.monotonic()

    async def stalled(self) -> None:
        """Returns never; raises :class:`Stalled` when nothing moves any more."""
        while True:
            await asyncio.sleep(_LOOK_S)
            now = time.monotonic()
            if now - self._moved < self._stall_s / 2:
                continue
            ticks = processor_ticks(self._pid)
            if ticks > self._ticks and now - self._spoke < self._silent_s:
                self._ticks, self._moved = ticks, now
            elif now - self._moved > self._stall_s:
                raise Stalled(f"no progress within {now - self._spoke:.0f} s")


def processor_ticks(root: int) -> int:
    """Processor time of *root*'s descendants, in clock ticks (proc(5), ``stat``: fields 4, 14 and 15)."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = Path("/proc", name, "stat").read_bytes()
            fields = stat[stat.rindex(b")") + 2 :].split()
            parents[int(name)] = int(fields[1])
            used[int(name)] = int(fields[11]) + int(fields[12])
    total, level = 0, {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        total += sum(used[pid] for pid in level)
    return total
