"""Looking at gate processes from this machine: who is below them, what they hold in memory."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from types import TracebackType


def parents() -> dict[int, int]:
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            found[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def below(pid: int) -> set[int]:
    """*pid* and every process that it or one of its has started."""
    table, found = parents(), {pid}
    while more := {child for child, parent in table.items() if parent in found} - found:
        found |= more
    return found


def resident(pid: int) -> int:
    """Bytes that a process holds, shared pages by their share; 0: it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def named(name: str, among: set[int]) -> set[int]:
    found = set()
    for pid in among:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found.add(pid)
    return found


class Memory:
    """Samples what a gate and all below it hold together, until the end of the context."""

    def __init__(self, gate: int) -> None:
        self.peak_bytes = 0
        self.samples = 0
        self.by_name: dict[str, int] = {}
        """the most that processes of one name held, all together"""
        self._gate = gate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            names: dict[str, int] = {}
            for pid in below(self._gate):
                with contextlib.suppress(OSError):
                    name = Path(f"/proc/{pid}/comm").read_text().strip()
                    names[name] = names.get(name, 0) + resident(pid)
            for name, size in names.items():
                self.by_name[name] = max(size, self.by_name.get(name, 0))
            self.peak_bytes = max(self.peak_bytes, sum(names.values()))
            self.samples += 1
            time.sleep(0.1)
