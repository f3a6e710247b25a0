"""The daemon's hold on its preloaded parent: starts it, hands it one request at a time, notices its death.

When the parent dies, what it was asked for has failed (never guessed at), and the next request starts a new
one; sidecars that run are not concerned. Nothing here blocks.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot_bottle.controller.journal import note
from bot_bottle.controller.messages import Fork, Forked, ForkFailed, FromParent, Preloaded
from bot_bottle.controller.zygote import SOCKET_FD
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import SidecarSpec

ENVIRONMENT = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}
"""All that the parent, and so every sidecar, has in its environment; one malloc arena more than needed."""

FORK_TIMEOUT_S = 30.0
"""For the imports of a parent that has just been started (0.4 s; seconds from a cold disk, and where it has to
compile patterns), and then again for one fork (5 ms)."""


@dataclass(frozen=True)
class Born:
    """A sidecar runs. ``pidfd`` is the receiver's to close."""

    pid: int
    pidfd: int


Answer = Callable[[Born | str], None]
"""Gets the sidecar, or why there is none. Called exactly once for each request."""


@dataclass
class _Order:
    spec: SidecarSpec
    fds: list[int]
    answer: Answer


class Nursery:
    """``argv`` starts a parent whose socket is descriptor :data:`SOCKET_FD`."""

    def __init__(self, argv: Sequence[str], fork_timeout_s: float = FORK_TIMEOUT_S) -> None:
        self._argv = list(argv)
        self._fork_timeout_s = fork_timeout_s
        self._waiting: deque[_Order] = deque()
        self._current: _Order | None = None
        self._pid = 0
        self._sock: socket.socket | None = None
        self.deadline: float | None = None
        """monotonic time at which the parent counts as hung"""

    @property
    def busy(self) -> bool:
        return self._current is not None or bool(self._waiting)

    @property
    def pid(self) -> int:
        """0 while there is no parent."""
        return self._pid

    def start(self) -> None:
        """Start a parent unless one runs; raises OSError."""
        if self._sock is not None:
            return
        ours, theirs = wire.pair()
        try:
            self._pid = os.posix_spawn(
                self._argv[0],
                self._argv,
                ENVIRONMENT,
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), SOCKET_FD)],
                setsigmask=(),
                setsigdef=(signal.SIGTERM, signal.SIGPIPE),
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._sock = ours

    def fileno(self) -> int | None:
        """The socket to watch for reading; None while there is no parent."""
        return None if self._sock is None else self._sock.fileno()

    def order(self, spec: SidecarSpec, fds: list[int], answer: Answer) -> None:
        """Have a sidecar forked; takes over *fds*."""
        self._waiting.append(_Order(spec, fds, answer))
        self._next()

    def read(self) -> None:
        """To be called when the socket is readable."""
        if self._sock is None:
            return
        try:
            message, fds = wire.receive(self._sock, FromParent)
        except BlockingIOError:
            return
        except wire.WireError as error:
            self._lost(str(error))
            return
        order, self._current, self.deadline = self._current, None, None
        match message:
            case Preloaded():
                self._current = order
                if order is not None:
                    self.deadline = time.monotonic() + self._fork_timeout_s
            case Forked(pid=pid) if order is not None and len(fds) == 1:
                order.answer(Born(pid, fds.pop()))
            case ForkFailed(reason=reason) if order is not None:
                order.answer(reason)
            case _:
                self._current = order
                self._lost("it said something out of turn")
        wire.close_all(fds)
        self._next()

    def check(self, now: float) -> None:
        """To be called when :attr:`deadline` has passed."""
        if self.deadline is not None and now >= self.deadline:
            self._lost("it did not answer in time")
            self._next()

    def stop(self) -> None:
        """End the parent; what was asked for and not answered has failed."""
        self._end_parent()
        self._fail("the daemon is ending: try again")

    def _next(self) -> None:
        """Hand over the next request, starting a parent where there is none."""
        while self._current is None and self._waiting:
            order = self._current = self._waiting.popleft()
            try:
                self.start()
                assert self._sock is not None
                wire.send(self._sock, Fork(order.spec), order.fds)
            except (OSError, wire.WireError) as error:
                self._lost(str(error))
                continue
            wire.close_all(order.fds)
            order.fds = []
            self.deadline = time.monotonic() + self._fork_timeout_s

    def _lost(self, why: str) -> None:
        note("parent-lost", parent=self._pid, why=why)
        self._end_parent()
        order, self._current, self.deadline = self._current, None, None
        if order is not None:
            wire.close_all(order.fds)
            order.answer(f"the sidecars' parent process was lost ({why}): try again")

    def _end_parent(self) -> None:
        if self._sock is None:
            return
        self._sock.close()
        self._sock = None
        try:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        self._pid = 0

    def _fail(self, reason: str) -> None:
        orders = ([self._current] if self._current else []) + list(self._waiting)
        self._current, self.deadline = None, None
        self._waiting.clear()
        for order in orders:
            wire.close_all(order.fds)
            order.answer(reason)
