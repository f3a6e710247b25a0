"""Processes by descriptor: a number may be another process's by now, a pidfd never is."""

from __future__ import annotations

import os
import signal

from bot_bottle.store.records import process_start


def kill(pidfd: int) -> bool:
    """Kill the process behind *pidfd*; False when there is none (-1) or it has ended."""
    if pidfd < 0:
        return False
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def pid_behind(fd: int) -> int | None:
    """The pid of a pidfd, -1 when its process has ended; None when *fd* is no pidfd."""
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as info:
            for line in info:
                if line.startswith("Pid:"):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


def kill_exactly(pid: int, start: int) -> bool:
    """Kill *pid* if it is the process that started at *start* (clock ticks since boot, proc(5))."""
    from_number = _open(pid)
    if from_number < 0:
        return False
    try:
        return process_start(pid) == start and kill(from_number)
    finally:
        os.close(from_number)


def _open(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1
