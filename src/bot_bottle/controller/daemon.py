"""PROCESS: the daemon's loop. One thread; one poll over every descriptor; nothing in it blocks.

Who may ask is the operator alone: the socket is 0600 and the peer's uid is checked. What is asked is done in
``controller.launches``. It may not read a secrets pipe, know a backend or run work that could hang.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence

import bot_bottle
from bot_bottle.controller.journal import note
from bot_bottle.controller.launches import Launches, Settings
from bot_bottle.controller.sockets import DaemonStartError, listen, peer_uid
from bot_bottle.ipc import wire
from bot_bottle.ipc.client import start_lock
from bot_bottle.ipc.daemon import (
    PROTOCOL,
    Adopt,
    Done,
    Failed,
    Finished,
    LaunchSidecar,
    Reply,
    Request,
    Status,
    StatusRequest,
)

STOP_TIMEOUT_S = 5.0
"""On SIGTERM running chores get this long."""


class Daemon:
    """``start``, then ``serve`` until it has ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._layout = settings.layout
        self._launches = Launches(settings, self._reply)
        self._listener: socket.socket | None = None
        self._connections: dict[int, socket.socket] = {}
        self._wakeup, self._wakeup_write = -1, -1
        self._stopping: float | None = None
        self._idle_since = time.monotonic()

    # -- life
    def start(self) -> None:
        """Start the parent, listen, begin the recovery; raises :class:`DaemonStartError`."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._wakeup, self._wakeup_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        try:
            self._launches.nursery.start()
        except OSError as error:
            raise DaemonStartError(f"the sidecars' parent can't be started: {error.strerror}") from error
        self._listener = listen(self._layout.daemon_socket)
        self._launches.begin_recovery()
        note("started", socket=str(self._layout.daemon_socket), version=bot_bottle.__version__)

    def serve(self) -> None:
        """Until idle for long enough, or told to stop. Running sidecars are not touched by the end."""
        while not self._is_over():
            self._turn()
        self._launches.stop()
        for connection in list(self._connections.values()):
            connection.close()
        note("ended")

    def _turn(self) -> None:
        poller = select.poll()
        handlers = self._watched()
        for fd in handlers:
            poller.register(fd, select.POLLIN)
        for fd, _ in poller.poll(self._timeout_ms()):
            try:
                handlers[fd]()
            except Exception as error:  # a bug in one branch must not end the reaping of all others
                note("fault", error=repr(error))
                self._drop(fd)
                self._launches.give_up(fd)
        self._launches.check(time.monotonic())

    def _watched(self) -> dict[int, Callable[[], None]]:
        """Every descriptor with what to do when it is readable, anew for each turn: no stale entry."""
        handlers = self._launches.watched()
        handlers[self._wakeup] = self._on_signal
        if self._listener is not None:
            handlers[self._listener.fileno()] = self._on_accept
        for fd in self._connections:
            handlers[fd] = lambda fd=fd: self._on_command(fd)  # type: ignore[misc]
        return handlers

    def _timeout_ms(self) -> float | None:
        deadlines = self._launches.deadlines()
        if self._stopping is not None:
            deadlines.append(self._stopping)
        if self._is_idle():
            deadlines.append(self._idle_since + self._settings.idle_s)
        if not deadlines:
            return None
        return max(0.0, min(deadlines) - time.monotonic()) * 1000 + 1

    def _is_idle(self) -> bool:
        idle = not self._connections and not self._launches.busy
        if not idle:
            self._idle_since = time.monotonic()
        return idle

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._stopping is not None:
            return not self._launches.working or now >= self._stopping
        if not self._is_idle() or now < self._idle_since + self._settings.idle_s:
            return False
        with start_lock(self._layout, wait=False) as held:
            if not held:  # somebody is about to connect
                self._idle_since = now
                return False
            self._on_accept()
            if self._connections:
                return False
            self._stop_listening()
            return True

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._layout.daemon_socket.unlink(missing_ok=True)
            self._listener.close()
            self._listener = None

    def _on_signal(self) -> None:
        for number in os.read(self._wakeup, 64):
            if number in (signal.SIGTERM, signal.SIGINT) and self._stopping is None:
                note("stopping", signal=number)
                self._stopping = time.monotonic() + STOP_TIMEOUT_S
                self._stop_listening()

    # -- the operator's commands
    def _on_accept(self) -> None:
        if self._listener is None:
            return
        while True:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                note("accept-failed", error=error.strerror)
                return
            if peer_uid(connection) != os.geteuid():
                note("stranger", uid=peer_uid(connection))
                connection.close()
                continue
            connection.setblocking(False)
            self._connections[connection.fileno()] = connection

    def _on_command(self, fd: int) -> None:
        connection = self._connections.get(fd)
        if connection is None:
            return
        try:
            message, fds = wire.receive(connection, Request)
        except BlockingIOError:
            return
        except wire.WireError as error:
            if not error.closed and self._launches.stands_for_a_bottle(fd):
                self._reply(fd, Failed(f"not understood: {error}"))  # its bottle runs on
                return
            if not error.closed:
                note("garbage", error=str(error)[:200])
            self._drop(fd)
            return
        if getattr(message, "protocol", PROTOCOL) != PROTOCOL:
            wire.close_all(fds)
            self._reply(fd, Failed(_other_version(message.protocol)))
            return
        match message:
            case LaunchSidecar():
                self._launches.launch(fd, message, fds)
                return
            case Adopt():
                self._launches.adopt(fd, message, fds)
                return
            case Finished():
                self._launches.finish(fd)
                self._reply(fd, Done())
            case StatusRequest():
                bottles = self._launches.bottles()
                self._reply(fd, Status(os.getpid(), bot_bottle.__version__, PROTOCOL, bottles))
        wire.close_all(fds)

    def _reply(self, fd: int, message: Reply, fds: Sequence[int] = ()) -> None:
        connection = self._connections.get(fd)
        if connection is None:
            return
        try:
            wire.send(connection, message, fds)
        except wire.WireError:
            self._drop(fd)

    def _drop(self, fd: int) -> None:
        connection = self._connections.pop(fd, None)
        if connection is not None:
            connection.close()
            self._launches.launcher_gone(fd)


def _other_version(protocol: int) -> str:
    return (
        f"the running daemon speaks protocol {PROTOCOL}, not {protocol}: "
        f"end it with 'kill {os.getpid()}' (running bottles are not touched) and try again"
    )
