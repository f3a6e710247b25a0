"""Limits of a bottle: control groups where they can be written (v2, else v1), rlimits below them.

One group a bottle, under one directory a state root (``scope``), so that whoever cleans up finds it by
the bottle's name alone. Processes are limited by RLIMIT_NPROC in the bottle's own user namespace as well
(Linux 5.14), control groups or not. Never RLIMIT_AS: it breaks WebAssembly (ruling 45).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from bot_bottle.sandbox.contract import Limit, Resources

CGROUP_ROOT = Path("/sys/fs/cgroup")
_PERIOD_US = 100_000
_CONTROLLER: Mapping[Limit, str] = {"cpus": "cpu", "memory_bytes": "memory", "pids": "pids"}


class Groups(Struct, frozen=True):
    """Where this host takes limits: limit name to the directory under which groups are made."""

    version: int
    parents: Mapping[Limit, Path]

    def unenforced(self) -> list[Limit]:
        missing: list[Limit] = [name for name in _CONTROLLER if name not in self.parents]
        if kernel_counts_processes() and "pids" in missing:
            missing.remove("pids")
        return missing


def kernel_counts_processes() -> bool:
    """Whether RLIMIT_NPROC counts per user namespace."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(c for c in minor if c.isdigit()) or 0)) >= (5, 14)


def find_groups(scope: str, root: Path = CGROUP_ROOT) -> Groups:
    """The control groups that can be written here; none is no error."""
    parent = f"bot-bottle-{scope}"
    if (root / "cgroup.controllers").exists():
        return Groups(2, _v2(root, parent))
    found = {
        limit: root / controller / parent
        for limit, controller in _CONTROLLER.items()
        if (root / controller / "cgroup.procs").exists() and os.access(root / controller, os.W_OK)
    }
    return Groups(1, found)


def _v2(root: Path, parent: str) -> dict[Limit, Path]:
    if not os.access(root, os.W_OK):
        return {}
    try:
        offered = (root / "cgroup.subtree_control").read_text(encoding="ascii").split()
    except OSError:
        return {}
    return {limit: root / parent for limit, controller in _CONTROLLER.items() if controller in offered}


def create(groups: Groups, identity: str, resources: Resources) -> list[Path]:
    """Make the bottle's groups with their limits; the directories to enter. OSError: none is left."""
    made: list[Path] = []
    try:
        for limit, parent in groups.parents.items():
            group = parent / identity
            _make(group)
            if groups.version == 2:
                _write(
                    parent / "cgroup.subtree_control", " ".join(f"+{_CONTROLLER[n]}" for n in groups.parents)
                )
            if group not in made:
                made.append(group)
            for name, value in _values(groups.version, limit, resources):
                _write(group / name, value)
    except BaseException:
        remove(made)
        raise
    return made


def _make(group: Path) -> None:
    """Another bottle's end may remove the parent between two steps: it is made again."""
    for _ in range(10):
        try:
            group.parent.mkdir(exist_ok=True)
            group.mkdir(exist_ok=True)
        except FileNotFoundError:
            continue
        return
    raise FileNotFoundError(2, f"{group} keeps vanishing")


def _values(version: int, limit: str, resources: Resources) -> Iterable[tuple[str, str]]:
    if limit == "pids":
        return [("pids.max", str(resources.pids))]
    if limit == "memory_bytes":
        names = ("memory.max",) if version == 2 else ("memory.limit_in_bytes",)
        return [(name, str(resources.memory_bytes)) for name in names]
    quota = int(resources.cpus * _PERIOD_US)
    if version == 2:
        return [("cpu.max", f"{quota} {_PERIOD_US}")]
    return [("cpu.cfs_period_us", str(_PERIOD_US)), ("cpu.cfs_quota_us", str(quota))]


def move(groups: Iterable[Path], pid: int) -> None:
    """Move *pid*; what it forks from now on is in *groups* too. Each write waits for an RCU grace period."""
    for group in groups:
        _write(group / "cgroup.procs", str(pid))


def holds(group: Path, pid: int) -> bool:
    """Whether *pid* is in *group*."""
    return str(pid) in (group / "cgroup.procs").read_text(encoding="ascii").split()


def kill(groups: Iterable[Path]) -> None:
    """End every process in *groups*."""
    for group in groups:
        try:
            for line in (group / "cgroup.procs").read_text(encoding="ascii").split():
                os.kill(int(line), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass


def remove(groups: Iterable[Path], timeout_s: float = 2.0) -> None:
    """Remove empty groups, and their parent when it was the last; one that stays in use for *timeout_s*
    stays (the next reap tries again)."""
    deadline = time.monotonic() + timeout_s
    for group in groups:
        while not _removed(group) and time.monotonic() < deadline:
            time.sleep(0.002)
        _removed(group.parent)


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def groups_of(groups: Groups, identity: str) -> list[Path]:
    """The groups of *identity* that exist."""
    return [path for path in {parent / identity for parent in groups.parents.values()} if path.exists()]


def _write(path: Path, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
