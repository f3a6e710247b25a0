"""Whether a program waits for somebody to type: from what the kernel says of its processes.

The foreground process group of the bottle's terminal is asked for through the pty's master; its processes
are seen in the host's ``/proc``. Nothing is read from them, and what can't be looked at counts as waiting:
the caller has seen already that no output comes.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from pathlib import Path

_WAITS = ("n_tty_read", "wait_woken", "poll", "select", "futex", "sigsuspend", "sigtimedwait")
"""Parts of the kernel's names for where a program sleeps that reads a terminal, or that waits for whatever
comes first (event loops do, in any of these ways)."""


def waits_for_input(master: int) -> bool:
    """Whether every process of the terminal's foreground group sleeps, and one of them where input could
    wake it. False where there is no such group (it has just ended)."""
    try:
        group = struct.unpack("i", fcntl.ioctl(master, termios.TIOCGPGRP, b"\0" * 4))[0]
    except OSError:
        return False
    members = _members(group)
    return bool(members) and all(_sleeps(pid) for pid in members) and any(map(_could_read, members))


def _members(group: int) -> list[int]:
    if group <= 0:
        return []
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(int(name))
            if len(fields) > 2 and fields[2] == str(group):
                found.append(int(name))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` behind the program's name: state, parent, group…"""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _sleeps(pid: int) -> bool:
    return _stat(pid)[:1] != ["R"]


def _could_read(pid: int) -> bool:
    try:
        where = Path(f"/proc/{pid}/wchan").read_text("ascii", "replace")
    except OSError:
        return True  # not ours to look at
    return where in ("", "0") or any(part in where for part in _WAITS)
