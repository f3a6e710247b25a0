"""PROCESS: the daemon's loop. One thread; one poll over every descriptor; nothing in it blocks.

It knows which bottles run, has their sidecars forked, and reaps what a killed launcher leaves. It may not
read a secrets pipe, know a backend, or trust what comes through a sidecar's link: that is counted, dropped,
and soon cut off. Who may ask is the operator alone: the socket is 0600 and the peer's uid is checked.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bot_bottle
from bot_bottle.base.ids import BadIdentity, parse_identity
from bot_bottle.controller import chores
from bot_bottle.controller.chores import Chore
from bot_bottle.controller.journal import note
from bot_bottle.controller.nursery import FORK_TIMEOUT_S, Born, Nursery
from bot_bottle.controller.pidfds import kill, pid_behind
from bot_bottle.controller.records import Records
from bot_bottle.controller.registry import Launch, Registry, State
from bot_bottle.controller.sockets import DaemonStartError, listen, peer_uid
from bot_bottle.ipc import wire
from bot_bottle.ipc.client import start_lock
from bot_bottle.ipc.daemon import (
    PROTOCOL,
    Adopt,
    Done,
    Failed,
    Finished,
    Launched,
    LaunchSidecar,
    Reply,
    Request,
    Status,
    StatusRequest,
)
from bot_bottle.store.bottles import is_running
from bot_bottle.store.layout import Layout

IDLE_S = 60.0
"""The daemon ends this long after the last bottle and the last connection (ruling 26)."""

REAP_TIMEOUT_S = 60.0
"""For the removal of everything that a killed launcher left, a deep overlay included."""

LINGER_S = 10.0
"""A sidecar drains for 5 s at most after its launcher's end; then it is killed."""

RECOVER_AGAIN_S = 15.0
"""A launcher that lived when we started, and was killed before it could hand its bottle over, is missed by
the first recovery."""

STOP_TIMEOUT_S = 5.0
"""On SIGTERM running chores get this long."""

MAX_LINK_PACKETS = 16
"""A sidecar has nothing to say yet: after so many packets its link is closed."""


@dataclass(frozen=True)
class Settings:
    """What the composition root hands in."""

    layout: Layout
    zygote: Sequence[str]
    """argv of the preloaded parent"""
    reap: Callable[[str], object]
    """removes what the killed launcher of a bottle left, its sidecar excepted; run in a forked child, may
    import, fail or hang. It does nothing when the launch's own lock is held."""
    recover: Callable[[], object]
    """the same for every bottle on disk whose launcher is gone; run in a forked child, at the start"""
    idle_s: float = IDLE_S
    reap_timeout_s: float = REAP_TIMEOUT_S
    linger_s: float = LINGER_S
    recover_again_s: float = RECOVER_AGAIN_S
    fork_timeout_s: float = FORK_TIMEOUT_S


class Daemon:
    """``start``, then ``serve`` until it has ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._layout = settings.layout
        self._registry = Registry()
        self._records = Records(self._layout.run / "s")
        self._nursery = Nursery(settings.zygote, settings.fork_timeout_s)
        self._listener: socket.socket | None = None
        self._connections: dict[int, socket.socket] = {}
        self._chores: dict[int, tuple[Chore, Callable[[], None]]] = {}
        """pidfd to the chore and what follows it"""
        self._handlers: dict[int, Callable[[], None]] = {}
        self._wakeup, self._wakeup_write = -1, -1
        self._stopping: float | None = None
        self._idle_since = time.monotonic()
        self._recover_again: float | None = self._idle_since + settings.recover_again_s

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
            self._nursery.start()
        except OSError as error:
            raise DaemonStartError(f"the sidecars' parent can't be started: {error.strerror}") from error
        self._listener = listen(self._layout.daemon_socket)
        self._begin_chore("recover", self._recover, lambda: None)
        note("started", socket=str(self._layout.daemon_socket), version=bot_bottle.__version__)

    def serve(self) -> None:
        """Until idle for long enough, or told to stop. Running sidecars are not touched by the end."""
        while not self._is_over():
            self._turn()
        self._nursery.stop()
        for pidfd in list(self._chores):
            self._end_chore(pidfd)
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
                self._give_up(fd)
        now = time.monotonic()
        if self._recover_again is not None and now >= self._recover_again:
            self._recover_again = None
            self._begin_chore("recover", self._recover, lambda: None)
        self._nursery.check(now)
        for launch in self._registry.launches():
            if launch.deadline is not None and now >= launch.deadline:
                launch.deadline = None
                kill(launch.pidfd)
        for pidfd, (chore, _) in list(self._chores.items()):
            if now >= chore.deadline:
                self._end_chore(pidfd)

    def _give_up(self, fd: int) -> None:
        """Stop listening to what made us stumble."""
        self._drop(fd)
        if fd == self._nursery.fileno():
            self._nursery.stop()
        for launch in self._registry.launches():
            if fd == launch.link:
                self._close_link(launch)

    def _watched(self) -> dict[int, Callable[[], None]]:
        """Every descriptor with what to do when it is readable, anew for each turn: no stale entry."""
        handlers: dict[int, Callable[[], None]] = {self._wakeup: self._on_signal}
        parent = self._nursery.fileno()
        if parent is not None:
            handlers[parent] = self._nursery.read
        if self._listener is not None:
            handlers[self._listener.fileno()] = self._on_accept
        for fd in self._connections:
            handlers[fd] = lambda fd=fd: self._on_command(fd)  # type: ignore[misc]
        for pidfd in self._chores:
            handlers[pidfd] = lambda pidfd=pidfd: self._end_chore(pidfd)  # type: ignore[misc]
        for launch in self._registry.launches():
            if launch.pidfd >= 0:
                handlers[launch.pidfd] = lambda launch=launch: self._on_sidecar_end(launch)  # type: ignore[misc]
            if launch.link >= 0:
                handlers[launch.link] = lambda launch=launch: self._on_link(launch)  # type: ignore[misc]
        return handlers

    def _timeout_ms(self) -> float | None:
        deadlines = [chore.deadline for chore, _ in self._chores.values()]
        deadlines += [launch.deadline for launch in self._registry.launches() if launch.deadline is not None]
        single = (self._nursery.deadline, self._stopping, self._recover_again)
        deadlines += [deadline for deadline in single if deadline is not None]
        if self._is_idle():
            deadlines.append(self._idle_since + self._settings.idle_s)
        if not deadlines:
            return None
        return max(0.0, min(deadlines) - time.monotonic()) * 1000 + 1

    def _is_idle(self) -> bool:
        idle = not self._connections and not self._chores and not len(self._registry)
        if not idle:
            self._idle_since = time.monotonic()
        return idle

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._stopping is not None:
            return not self._chores or now >= self._stopping
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
            if not error.closed and self._registry.of(fd) is not None:
                self._reply(fd, Failed(f"not understood: {error}"))  # its bottle runs on
                return
            if not error.closed:
                note("garbage", error=str(error)[:200])
            self._drop(fd)
            return
        if getattr(message, "protocol", PROTOCOL) != PROTOCOL:
            wire.close_all(fds)
            self._reply(
                fd,
                Failed(
                    f"the running daemon speaks protocol {PROTOCOL}, not {message.protocol}: "
                    f"end it with 'kill {os.getpid()}' (running bottles are not touched) and try again"
                ),
            )
            return
        match message:
            case LaunchSidecar():
                self._launch(fd, message, fds)
                return
            case Adopt():
                self._adopt(fd, message, fds)
                return
            case Finished():
                self._finish(fd)
            case StatusRequest():
                self._reply(
                    fd, Status(os.getpid(), bot_bottle.__version__, PROTOCOL, self._registry.bottles())
                )
        wire.close_all(fds)

    def _reply(self, fd: int, message: Reply, fds: Sequence[int] = ()) -> None:
        connection = self._connections.get(fd)
        if connection is None:
            return
        try:
            wire.send(connection, message, fds)
        except wire.WireError:
            self._drop(fd)

    def _launch(self, fd: int, message: LaunchSidecar, fds: list[int]) -> None:
        bottle = message.spec.bottle
        launch = self._named(fd, bottle) if len(fds) == 4 else f"{len(fds)} descriptors came with the request"
        if isinstance(launch, str):
            wire.close_all(fds)
            self._reply(fd, Failed(launch))
            return
        ours, theirs = wire.pair()
        ours.setblocking(False)
        self._close_link(launch)
        launch.link, launch.link_packets, launch.ordered = ours.detach(), 0, True
        listener, control, secrets, log = fds
        self._nursery.order(
            message.spec, [listener, control, theirs.detach(), secrets, log],
            lambda result: self._born(launch, result),
        )  # fmt: skip

    def _named(self, fd: int, bottle: str) -> Launch | str:
        try:
            return self._registry.register(parse_identity(bottle), fd)
        except BadIdentity as error:
            return str(error)

    def _born(self, launch: Launch, result: Born | str) -> None:
        launch.ordered = False
        if isinstance(result, str):
            self._close_link(launch)
            if launch.connection is None:
                self._begin_reaping(launch)
            else:
                self._reply(launch.connection, Failed(result))
            return
        launch.pidfd = result.pidfd
        if launch.connection is None:  # killed while the sidecar was made
            self._begin_reaping(launch)
            return
        launch.state = State.RUNNING
        try:
            self._records.write(launch.bottle, result.pid)
        except OSError as error:
            note("record-failed", bottle=launch.bottle, error=error.strerror)
        self._reply(launch.connection, Launched(result.pid), (launch.pidfd,))

    def _adopt(self, fd: int, message: Adopt, fds: list[int]) -> None:
        pid = pid_behind(fds[0]) if len(fds) == 1 else None
        launch = (
            self._named(fd, message.bottle) if pid is not None else "a pidfd has to come with the request"
        )
        if isinstance(launch, str) or pid is None:
            wire.close_all(fds)
            self._reply(fd, Failed(str(launch)))
            return
        launch.pidfd, launch.state = fds[0], State.RUNNING
        if pid > 0:
            self._records.write(launch.bottle, pid)
        self._reply(fd, Done())

    def _finish(self, fd: int) -> None:
        launch = self._registry.of(fd)
        if launch is not None:
            launch.connection = None
            if launch.pidfd >= 0:
                launch.state = State.LINGERING
                launch.deadline = time.monotonic() + self._settings.linger_s
            elif launch.ordered:
                launch.state = State.REAPING  # finished without waiting for its sidecar
            else:
                self._forget(launch)
        self._reply(fd, Done())

    def _drop(self, fd: int) -> None:
        """A connection has ended; where it stood for a bottle, the bottle's launcher has."""
        connection = self._connections.pop(fd, None)
        if connection is None:
            return
        connection.close()
        launch = self._registry.of(fd)
        if launch is not None:
            note("launcher-gone", bottle=launch.bottle)
            launch.connection = None
            if not launch.ordered:  # else when the answer is there
                self._begin_reaping(launch)

    # -- sidecars: hostile
    def _on_link(self, launch: Launch) -> None:
        """Take a packet and drop it; read(2) has no room for descriptors, so the kernel closes those."""
        try:
            packet = os.read(launch.link, 64)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        launch.link_packets += 1
        if not packet or launch.link_packets >= MAX_LINK_PACKETS:
            if packet:
                note("talkative-sidecar", bottle=launch.bottle)
            self._close_link(launch)

    def _on_sidecar_end(self, launch: Launch) -> None:
        if launch.pidfd < 0:
            return
        self._close_link(launch)
        os.close(launch.pidfd)
        launch.pidfd, launch.deadline = -1, None
        self._records.remove(launch.bottle)
        if launch.state is State.LINGERING:
            self._forget(launch)

    def _close_link(self, launch: Launch) -> None:
        if launch.link >= 0:
            os.close(launch.link)
            launch.link = -1

    # -- reaping
    def _begin_reaping(self, launch: Launch) -> None:
        launch.state = State.REAPING
        self._close_link(launch)
        kill(launch.pidfd)
        bottle = launch.bottle
        self._begin_chore("reap", lambda: self._settings.reap(bottle), lambda: self._forget(launch), bottle)

    def _forget(self, launch: Launch) -> None:
        self._close_link(launch)
        if launch.pidfd >= 0:
            os.close(launch.pidfd)
            launch.pidfd = -1
            self._records.remove(launch.bottle)
        self._registry.remove(launch)

    def _recover(self) -> None:
        """In a chore, after a daemon and launchers that may have died together: end what has no launcher."""
        for bottle, sidecar in self._records.read_all().items():
            if is_running(self._layout, bottle):
                continue
            if sidecar.kill():
                note("orphan-killed", bottle=bottle, sidecar=sidecar.pid)
            self._records.discard(bottle, sidecar)
        self._settings.recover()

    def _begin_chore(
        self, what: str, work: Callable[[], object], then: Callable[[], None], bottle: str = ""
    ) -> None:
        try:
            chore = chores.begin(f"{what} {bottle}".strip(), work, self._settings.reap_timeout_s)
        except OSError as error:
            note("chore-failed", chore=what, bottle=bottle, why=error.strerror)
            then()
            return
        self._chores[chore.pidfd] = (chore, then)

    def _end_chore(self, pidfd: int) -> None:
        if pidfd not in self._chores:
            return
        chore, then = self._chores.pop(pidfd)
        problem = chores.end(chore)
        if problem is None:
            note("chore-done", chore=chore.what)
        else:
            note("chore-failed", chore=chore.what, why=problem)  # its remains are `cleanup`'s, and are named
        then()
