"""One epoll loop with callbacks: the whole of init runs on it, in one thread.

A callback that raises costs nothing but what it was about: the loop logs it and goes on.
"""

from __future__ import annotations

import select
import sys
import time

TYPE_CHECKING = False  # as in typing, which takes 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable

IN = select.EPOLLIN
OUT = select.EPOLLOUT
HUP = select.EPOLLHUP | select.EPOLLERR

SOON_S = 0.01
"""How long the loop waits at most for an event while something is to be done again."""
_MAX_COMPLAINTS = 100
"""Lines in the host's log: what a bottle does must not fill the operator's disk."""


class Loop:
    """Descriptors and what to call when they are ready; timers with a resolution of a second."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._ticks: list[Callable[[float], None]] = []
        self._soon: list[Callable[[], None]] = []
        self._complaints = 0
        self._forgotten: set[int] = set()
        """since the last poll: what it said of them is not meant for their number's next owner"""

    def watch(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Call *callback(events)* when *fd* is ready; level-triggered. Hang-ups always come."""
        if fd in self._callbacks:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = callback

    def events(self, fd: int, events: int) -> None:
        """Change what *fd* is watched for."""
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Stop watching *fd*; call it before the close."""
        self._forgotten.add(fd)
        if self._callbacks.pop(fd, None) is not None:
            try:
                self._epoll.unregister(fd)
            except OSError:
                pass

    def every_second(self, callback: Callable[[float], None]) -> None:
        """Call *callback(monotonic time)* about every second."""
        self._ticks.append(callback)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call *callback()* once, when other events have had their turn: for what can only be tried again."""
        self._soon.append(callback)

    def complain(self, what: str) -> None:
        """A line for the host's log; the hundredth is the last."""
        self._complaints += 1
        if self._complaints <= _MAX_COMPLAINTS:
            sys.stderr.write(f"bot-bottle init: {what[:300]!a}\n")
            sys.stderr.flush()

    def run(self) -> None:
        """Until the process ends."""
        next_tick = time.monotonic() + 1
        while True:
            self._forgotten.clear()
            wait = max(next_tick - time.monotonic(), 0)
            ready = self._epoll.poll(min(wait, SOON_S) if self._soon else wait)
            for fd, events in ready:
                callback = self._callbacks.get(fd)
                if callback is None or fd in self._forgotten:
                    continue
                try:
                    callback(events)
                except Exception as error:
                    self.complain(f"{type(error).__name__}: {error}")
                    self.forget(fd)
            soon, self._soon = self._soon, []
            for again in soon:
                again()
            now = time.monotonic()
            if now >= next_tick:
                next_tick = now + 1
                for tick in self._ticks:
                    tick(now)
