"""What kept bottles, logs and tools take on the disk, and which of them have rested for long.

What lies in a bottle's layers is hostile: counting is ``du``'s, follows no link, and is bounded in time; a
number that can't be had is None, never an error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base import process
from bot_bottle.base.process import ProcessFailed
from bot_bottle.store import bottles
from bot_bottle.store.bottles import StateSummary
from bot_bottle.store.layout import Layout

TIMEOUT_S = 120.0
"""Some million files are counted in ten seconds; a slow disk takes longer."""

DAY_S = 86_400

_WITNESSES = ("metadata.json", "launch.json", ".preserve")
"""Files of a state directory that a launch writes; the directory itself changes with each of them."""


@dataclass(frozen=True)
class Kept:
    """A bottle that does not run and is kept."""

    summary: StateSummary
    last_used_s: float
    """Unix time of the last thing that a launch or its logs wrote"""
    disk_bytes: int | None

    @property
    def identity(self) -> str:
        return self.summary.identity

    def rested(self, days: float, now_s: float) -> bool:
        """Nobody has used it for *days*."""
        return now_s - self.last_used_s >= days * DAY_S


def kept_bottles(layout: Layout) -> list[Kept]:
    """Every kept bottle, the longest at rest first."""
    found = [state for state in bottles.list_states(layout) if state.preserved and not state.running]
    sizes = sizes_of({state.identity: _directories(layout, state.identity) for state in found})
    kept = [Kept(state, last_used_s(layout, state.identity), sizes.get(state.identity)) for state in found]
    return sorted(kept, key=lambda each: (each.last_used_s, each.identity))


def last_used_s(layout: Layout, identity: str) -> float:
    """When a launch of *identity* last wrote something; 0 when nothing says it."""
    state, logs = layout.state(identity), layout.logs(identity)
    times = [_mtime(state), *(_mtime(state / name) for name in _WITNESSES)]
    with suppress(OSError):
        times += [_mtime(logs / name) for name in os.listdir(logs)]
    return max(times)


def _mtime(path: Path) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def _directories(layout: Layout, identity: str) -> tuple[Path, ...]:
    return (layout.state(identity), layout.guest(identity))


def directory_bytes(path: Path) -> int | None:
    """What one directory takes; 0 where there is none."""
    return sizes_of({"": (path,)}).get("")


def sizes_of(groups: Mapping[str, Iterable[Path]]) -> dict[str, int]:
    """Bytes on the disk of each group's directories; a group that could not be counted is left out.

    A user's own files are counted as the root of a user namespace: a directory that a bottle has closed with
    its mode hides nothing.
    """
    there = {name: [path for path in paths if _is_directory(path)] for name, paths in groups.items()}
    listed = [str(path) for paths in there.values() for path in paths]
    counted = _du(listed) if listed else {}
    return {
        name: sum(counted[str(path)] for path in paths)
        for name, paths in there.items()
        if all(str(path) in counted for path in paths)
    }


def _du(paths: Sequence[str]) -> dict[str, int]:
    argv = ["du", "--summarize", "--one-file-system", "--block-size=1", "--null", "--", *paths]
    ways = [argv] if os.geteuid() == 0 else [["unshare", "--map-root-user", *argv], argv]
    for way in ways:
        try:
            done = process.run(way, timeout_s=TIMEOUT_S, check=False)
        except ProcessFailed:
            continue
        found: dict[str, int] = {}
        for entry in done.stdout.split(b"\0"):
            number, tab, name = entry.partition(b"\t")
            if tab and number.isdigit():
                found[os.fsdecode(name)] = int(number)
        if found:
            return found
    return {}


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def shown(size: int | None) -> str:
    """*size* for people: ``3.4 MiB``."""
    if size is None:
        return "unknown"
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
