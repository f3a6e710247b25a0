"""``launch.json``: which process runs a bottle and as whom, for who comes after a killed launcher.

The lock says *whether* a launch lives; this says who it was. Readers never raise; what they return may be
stale, so a pid is believed only together with its start time and the boot that it belongs to.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot_bottle.base.clock import utc_now
from bot_bottle.store.files import read_object, write_object

LAUNCH_RECORD_NAME = "launch.json"


@dataclass(frozen=True)
class LaunchRecord:
    """One launch of a bottle."""

    launcher_pid: int
    launcher_start: int
    """the process's start time in clock ticks since boot (field 22 of ``/proc/PID/stat``); 0: unknown"""
    boot_id: str
    backend: str
    uid: int | None = None
    sidecar_uid: int | None = None
    started_at: str = ""
    nonce: str = ""

    @staticmethod
    def of_this_process(
        backend: str, *, uid: int | None = None, sidecar_uid: int | None = None, nonce: str = ""
    ) -> LaunchRecord:
        """The record of the calling process, now."""
        pid = os.getpid()
        return LaunchRecord(
            pid, process_start(pid) or 0, boot_id(), backend, uid, sidecar_uid, utc_now(), nonce
        )  # fmt: skip

    def launcher_is_alive(self) -> bool:
        """Whether that very process is still there (not another one of the same number)."""
        if self.boot_id != boot_id():
            return False
        start = process_start(self.launcher_pid)
        return start is not None and start == self.launcher_start


def boot_id() -> str:
    """The kernel's id of this boot; empty where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def process_start(pid: int) -> int | None:
    """Start time of *pid* in clock ticks since boot; None when there is no such process (or it is dead)."""
    try:
        # the program's name is in parentheses and may hold anything, further parentheses too
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def write_launch_record(state: Path, record: LaunchRecord) -> None:
    """Write ``launch.json`` (0600) into the state directory. Raises ``StoreError``."""
    write_object(state / LAUNCH_RECORD_NAME, dataclasses.asdict(record))


def read_launch_record(state: Path) -> LaunchRecord | None:
    """The record in the state directory; None when missing, damaged or without a launcher. Never raises."""
    data = read_object(state / LAUNCH_RECORD_NAME)
    if data is None:
        return None
    pid = _number(data, "launcher_pid", 2**22)
    if pid is None:
        return None
    return LaunchRecord(
        pid,
        _number(data, "launcher_start", 2**63) or 0,
        _text(data, "boot_id"),
        _text(data, "backend"),
        _number(data, "uid", 2**32 - 2),
        _number(data, "sidecar_uid", 2**32 - 2),
        _text(data, "started_at"),
        _text(data, "nonce"),
    )


def _number(data: dict[str, Any], name: str, most: int) -> int | None:
    value = data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most else None


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""
