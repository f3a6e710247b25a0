"""Standard error that nobody waits for: whole lines go into a pipe of ours, a thread carries them on.

Whoever reads standard error may stop reading (a pager, Ctrl-S, a stopped collector); written to directly it
would stop the proxy, and every flow with it. What the pipe does not hold is lost. Nothing is interpreted.
"""

from __future__ import annotations

import os
import select
import threading

LAST_WORDS_S = 1.0
"""At the end, for a reader that is only slow; one that has stopped must not keep the process."""


class Spool:
    """``descriptor`` takes lines without waiting (EAGAIN when full); as ``sys.stderr`` it takes text."""

    def __init__(self, target: int) -> None:
        """*target*: the descriptor that the lines are for; it stays open, and its flags as they are."""
        self._target = target
        reading, self.descriptor = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.descriptor, False)
        self._unfinished = ""
        self._thread = threading.Thread(target=self._carry, args=(reading,), name="stderr", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Text, kept back until its line is whole."""
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            data = line.encode("utf-8", "backslashreplace")
            try:
                os.write(
                    self.descriptor, data[: select.PIPE_BUF - 1] + b"\n"
                )  # no more: all of it or nothing
            except OSError:
                pass
        return len(text)

    def flush(self) -> None:
        """There is nothing to wait for."""

    def close(self) -> None:
        """Nothing more comes; what is there has a moment to go out."""
        os.close(self.descriptor)
        self._thread.join(LAST_WORDS_S)

    def _carry(self, reading: int) -> None:
        held, is_torn = b"", False
        while data := os.read(reading, 65536):
            lines, end, held = (held + data).rpartition(b"\n")
            if end:
                is_torn = not self._put(b"\n" * is_torn + lines + end)
        os.close(reading)

    def _put(self, data: bytes) -> bool:
        """False: part of it is lost, and the last line may be half there."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._target, view) :]
            except BlockingIOError:  # somebody else has made it so
                poller = select.poll()
                poller.register(self._target, select.POLLOUT)
                poller.poll()
            except OSError:  # nobody reads, or the disk is full: later lines may find room
                return False
        return True
