"""Work handed in from outside (reaping), done in forked children so that it can't hang or fell the daemon.

A chore gets no descriptor of the daemon's, dies with the daemon, and is killed when its time is over.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from bot_bottle.base import linux


@dataclass(frozen=True)
class Chore:
    """A running child. ``pidfd`` is readable when it has ended."""

    what: str
    pid: int
    pidfd: int
    deadline: float


def begin(what: str, work: Callable[[], object], timeout_s: float) -> Chore:
    """Run *work* in a child; call :func:`end` when its pidfd is readable or its deadline has passed."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _work(work, parent)
    return Chore(what, pid, os.pidfd_open(pid), time.monotonic() + timeout_s)


def _work(work: Callable[[], object], parent: int) -> None:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        linux.set_parent_death_signal(signal.SIGKILL)
        if os.getppid() == parent:
            linux.close_all_except({0, 1, 2})
            os.setpgid(0, 0)
            work()
            status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(status)


def end(chore: Chore) -> str | None:
    """Collect *chore*, killing it if it still runs; None when it went well, else what was wrong."""
    done, status = os.waitpid(chore.pid, os.WNOHANG)
    if done == 0:
        try:
            os.killpg(chore.pid, signal.SIGKILL)
        except OSError:  # it has not come as far as its own group
            pass
        signal.pidfd_send_signal(chore.pidfd, signal.SIGKILL)
        os.waitpid(chore.pid, 0)
        os.close(chore.pidfd)
        return "took too long and was killed"
    os.close(chore.pidfd)
    code = os.waitstatus_to_exitcode(status)
    return None if code == 0 else f"ended with status {code}"
