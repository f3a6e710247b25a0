"""What a process and its children cost, read from /proc: CPU time and memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
RESET_PEAK = "5"
"""Written to clear_refs it sets the peak of resident memory to what is resident now (proc(5))."""


def tree(pid: int) -> Iterator[int]:
    """*pid* and all its descendants that live now."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def cpu_s(pid: int) -> float:
    """User and kernel time of *pid* and its descendants, those included that were waited for."""
    ticks = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks * TICK_S


def _status_mb(pid: int, key: str) -> float:
    kib = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/status").read_text().splitlines():
                if line.startswith(key):
                    kib += int(line.split()[1])
    return kib * 1024 / 1e6


def resident_mb(pid: int) -> float:
    """Resident memory now, of *pid* and its descendants together."""
    return _status_mb(pid, "VmRSS:")


def peak_mb(pid: int) -> float:
    """The most that was resident since :func:`reset_peak`; no sampling, the kernel keeps it."""
    return _status_mb(pid, "VmHWM:")


def reset_peak(pid: int) -> None:
    for each in tree(pid):
        with contextlib.suppress(OSError):
            Path(f"/proc/{each}/clear_refs").write_text(RESET_PEAK)
