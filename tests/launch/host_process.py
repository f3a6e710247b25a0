"""A program on the host that behaves as one in a bottle does."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios

from bot_bottle.sandbox.contract import Terminal


class HostProcess:
    """See :class:`bot_bottle.sandbox.contract.Process`."""

    def __init__(self, argv: list[str], *, terminal: bool = False) -> None:
        self.sizes: list[Terminal] = []
        if terminal:
            master, slave = pty.openpty()
            self._child = subprocess.Popen(
                argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            )  # fmt: skip
            os.close(slave)
            self.stdin = self.stdout = master
            self.stderr = None
        else:
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
            self.stdin, self.stdout, self.stderr = (
                os.dup(stream.fileno())
                for stream in (self._child.stdin, self._child.stdout, self._child.stderr)
            )
            for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
                stream.close()
        self._pidfd = os.pidfd_open(self._child.pid)

    def fileno(self) -> int:
        return self._pidfd

    def wait(self, timeout_s: float | None = None) -> int:
        status = self._child.wait(timeout_s)
        os.close(self._pidfd)
        return status if status >= 0 else 128 - status

    def signal(self, number: int) -> None:
        os.killpg(self._child.pid, number)

    def resize(self, terminal: Terminal) -> None:
        self.sizes.append(terminal)
        fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, struct.pack("4H", terminal.rows, terminal.columns, 0, 0))
