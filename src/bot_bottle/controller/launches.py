"""What becomes of bottles: launching, adopting, finishing, reaping; each request one method, nothing blocks.

A sidecar's secrets pipe is passed on unread. What comes through a sidecar's link is hostile: it is counted,
dropped, and soon cut off.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot_bottle.base.ids import BadIdentity, parse_identity
from bot_bottle.controller import chores
from bot_bottle.controller.chores import Chore
from bot_bottle.controller.journal import note
from bot_bottle.controller.nursery import FORK_TIMEOUT_S, Born, Nursery
from bot_bottle.controller.pidfds import kill, pid_behind
from bot_bottle.controller.records import Records
from bot_bottle.controller.registry import Launch, Registry, State
from bot_bottle.ipc import wire
from bot_bottle.ipc.daemon import Adopt, Done, Failed, Launched, LaunchSidecar, Reply
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

MAX_LINK_PACKETS = 16
"""A sidecar has nothing to say yet: after so many packets its link is closed."""

Answer = Callable[[int, Reply, Sequence[int]], None]
"""Sends a reply with descriptors on a connection, given by its number; one that is gone is no error."""


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


class Launches:
    """Every bottle that this daemon knows, its sidecar, and the chores that clear up after it."""

    def __init__(self, settings: Settings, answer: Answer) -> None:
        self._settings = settings
        self._answer = answer
        self._registry = Registry()
        self._lingering: list[Launch] = []
        """finished, the sidecar not yet ended; their names are free"""
        self._records = Records(settings.layout.run / "s")
        self.nursery = Nursery(settings.zygote, settings.fork_timeout_s)
        self._chores: dict[int, tuple[Chore, Callable[[], None]]] = {}
        """pidfd to the chore and what follows it"""
        self._recover_again: float | None = time.monotonic() + settings.recover_again_s

    def bottles(self) -> tuple[str, ...]:
        return self._registry.bottles()

    def stands_for_a_bottle(self, connection: int) -> bool:
        return self._registry.of(connection) is not None

    @property
    def busy(self) -> bool:
        """Whether anything is left to do or to wait for."""
        return bool(self._chores or len(self._registry) or self._lingering)

    @property
    def working(self) -> bool:
        """Whether a chore runs."""
        return bool(self._chores)

    # -- requests
    def launch(self, fd: int, message: LaunchSidecar, fds: list[int]) -> None:
        bottle = message.spec.bottle
        launch = self._named(fd, bottle) if len(fds) == 4 else f"{len(fds)} descriptors came with the request"
        if isinstance(launch, str):
            wire.close_all(fds)
            self._answer(fd, Failed(launch), ())
            return
        ours, theirs = wire.pair()
        ours.setblocking(False)
        self._close_link(launch)
        launch.link, launch.link_packets, launch.ordered = ours.detach(), 0, True
        listener, control, secrets, log = fds
        self.nursery.order(
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
                self._answer(launch.connection, Failed(result), ())
            return
        launch.pidfd = result.pidfd
        if launch.connection is None:  # killed while the sidecar was made
            self._begin_reaping(launch)
            return
        launch.state = State.RUNNING
        self._record(launch, result.pid)
        self._answer(launch.connection, Launched(result.pid), (launch.pidfd,))

    def adopt(self, fd: int, message: Adopt, fds: list[int]) -> None:
        pid = pid_behind(fds[0]) if len(fds) == 1 else None
        launch = (
            self._named(fd, message.bottle) if pid is not None else "a pidfd has to come with the request"
        )
        if isinstance(launch, str) or pid is None:
            wire.close_all(fds)
            self._answer(fd, Failed(str(launch)), ())
            return
        launch.pidfd, launch.state = fds[0], State.RUNNING
        self._record(launch, pid)
        self._answer(fd, Done(), ())

    def finish(self, fd: int) -> None:
        launch = self._registry.of(fd)
        if launch is not None:
            launch.connection = None
            if launch.pidfd >= 0:
                launch.deadline = time.monotonic() + self._settings.linger_s
                self._registry.remove(launch)
                self._lingering.append(launch)
            elif launch.ordered:
                launch.state = State.REAPING  # finished without waiting for its sidecar
            else:
                self._forget(launch)

    def launcher_gone(self, fd: int) -> None:
        """A connection has ended; where it stood for a bottle, the bottle's launcher has."""
        launch = self._registry.of(fd)
        if launch is not None:
            note("launcher-gone", bottle=launch.bottle)
            launch.connection = None
            if not launch.ordered:  # else when the answer is there
                self._begin_reaping(launch)

    # -- the loop's side
    def watched(self) -> dict[int, Callable[[], None]]:
        """Every descriptor with what to do when it is readable."""
        handlers: dict[int, Callable[[], None]] = {}
        parent = self.nursery.fileno()
        if parent is not None:
            handlers[parent] = self.nursery.read
        for pidfd in self._chores:
            handlers[pidfd] = lambda pidfd=pidfd: self._end_chore(pidfd)  # type: ignore[misc]
        for launch in [*self._registry.launches(), *self._lingering]:
            if launch.pidfd >= 0:
                handlers[launch.pidfd] = lambda launch=launch: self._on_sidecar_end(launch)  # type: ignore[misc]
            if launch.link >= 0:
                handlers[launch.link] = lambda launch=launch: self._on_link(launch)  # type: ignore[misc]
        return handlers

    def deadlines(self) -> list[float]:
        """Times at which :meth:`check` has something to do."""
        times = [chore.deadline for chore, _ in self._chores.values()]
        single = [launch.deadline for launch in self._lingering]
        single += [self.nursery.deadline, self._recover_again]
        return times + [deadline for deadline in single if deadline is not None]

    def check(self, now: float) -> None:
        if self._recover_again is not None and now >= self._recover_again:
            self._recover_again = None
            self.begin_recovery()
        self.nursery.check(now)
        for launch in self._lingering:
            if launch.deadline is not None and now >= launch.deadline:
                launch.deadline = None
                kill(launch.pidfd)
        for pidfd, (chore, _) in list(self._chores.items()):
            if now >= chore.deadline:
                self._end_chore(pidfd)

    def give_up(self, fd: int) -> None:
        """Stop listening to what made the loop stumble."""
        if fd == self.nursery.fileno():
            self.nursery.stop()
        for launch in self._registry.launches():
            if fd == launch.link:
                self._close_link(launch)

    def stop(self) -> None:
        """End the parent and the chores that still run; sidecars are not touched."""
        self.nursery.stop()
        for pidfd in list(self._chores):
            self._end_chore(pidfd)

    def _record(self, launch: Launch, pid: int) -> None:
        try:
            launch.recorded = self._records.write(launch.bottle, pid)
        except OSError as error:
            note("record-failed", bottle=launch.bottle, error=error.strerror)

    def _discard_record(self, launch: Launch) -> None:
        if launch.recorded is not None:
            self._records.discard(launch.bottle, launch.recorded)
            launch.recorded = None

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
        launch.pidfd = -1
        self._discard_record(launch)
        if launch in self._lingering:
            self._lingering.remove(launch)

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
        self._discard_record(launch)
        self._registry.remove(launch)

    def begin_recovery(self) -> None:
        self._begin_chore("recover", self._recover, lambda: None)

    def _recover(self) -> None:
        """In a chore, after a daemon and launchers that may have died together: end what has no launcher."""
        for bottle, sidecar in self._records.read_all().items():
            if is_running(self._settings.layout, bottle):
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
