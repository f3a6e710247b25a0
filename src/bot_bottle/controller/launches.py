"""What becomes of bottles: launching, adopting, finishing, reaping; each request one method, nothing blocks.

A sidecar's secrets pipe is passed on unread. What comes through a sidecar's link is hostile: it is counted,
dropped, and soon cut off.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bot_bottle.base.ids import BadIdentity, parse_identity
from bot_bottle.controller import chores
from bot_bottle.controller.chores import Chore
from bot_bottle.controller.journal import note
from bot_bottle.controller.nursery import FORK_TIMEOUT_S, Born, Nursery
from bot_bottle.controller.pidfds import kill, pid_behind
from bot_bottle.controller.records import Records
from bot_bottle.controller.registry import Launch, Registry, Sidecar, State
from bot_bottle.ipc import wire
from bot_bottle.ipc.daemon import Adopt, Done, Failed, Launched, LaunchSidecar, Reply
from bot_bottle.ipc.sidecar import KindName
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
    """Every bottle that this daemon knows, its sidecars, and the chores that clear up after it."""

    def __init__(self, settings: Settings, answer: Answer) -> None:
        self._settings = settings
        self._answer = answer
        self._registry = Registry()
        self._lingering: list[Launch] = []
        """finished, not every sidecar has ended; their names are free"""
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
        spec = message.spec
        launch = (
            self._named(fd, spec.bottle, (spec.kind,))
            if len(fds) == 4
            else f"{len(fds)} descriptors came with the request"
        )
        if isinstance(launch, str):
            wire.close_all(fds)
            self._answer(fd, Failed(launch), ())
            return
        ours, theirs = wire.pair()
        ours.setblocking(False)
        sidecar = launch.sidecars[spec.kind] = Sidecar(spec.kind, ordered=True, link=ours.detach())
        listener, control, secrets, log = fds
        self.nursery.order(
            spec, [listener, control, theirs.detach(), secrets, log],
            lambda result: self._born(launch, sidecar, result),
        )  # fmt: skip

    def _named(self, fd: int, bottle: str, kinds: Collection[KindName]) -> Launch | str:
        try:
            return self._registry.register(parse_identity(bottle), fd, kinds)
        except BadIdentity as error:
            return str(error)

    def _born(self, launch: Launch, sidecar: Sidecar, result: Born | str) -> None:
        sidecar.ordered = False
        if isinstance(result, str):
            self._close_link(sidecar)
            del launch.sidecars[sidecar.kind]
        else:
            sidecar.pidfd = result.pidfd
        if launch.connection is None:  # killed, or finished, while the sidecar was made
            if not launch.ordered:
                self._begin_reaping(launch)
        elif isinstance(result, str):
            self._answer(launch.connection, Failed(result), ())
        else:
            launch.state = State.RUNNING
            self._record(launch, sidecar, result.pid)
            self._answer(launch.connection, Launched(result.pid, sidecar.kind), (sidecar.pidfd,))

    def adopt(self, fd: int, message: Adopt, fds: list[int]) -> None:
        pids = [pid_behind(pidfd) for pidfd in fds]
        kinds = message.kinds
        launch: Launch | str = "a pidfd has to come with the request for each kind"
        if fds and None not in pids and len(fds) == len(kinds) == len(set(kinds)):
            launch = self._named(fd, message.bottle, kinds)
        if isinstance(launch, str):
            wire.close_all(fds)
            self._answer(fd, Failed(launch), ())
            return
        launch.state = State.RUNNING
        for kind, pidfd, pid in zip(kinds, fds, pids, strict=True):
            sidecar = launch.sidecars[kind] = Sidecar(kind, pidfd=pidfd)
            assert pid is not None
            self._record(launch, sidecar, pid)
        self._answer(fd, Done(), ())

    def finish(self, fd: int) -> None:
        launch = self._registry.of(fd)
        if launch is not None:
            launch.connection = None
            if launch.ordered:
                launch.state = State.REAPING  # finished without waiting for all of its sidecars
            elif launch.alive:
                launch.deadline = time.monotonic() + self._settings.linger_s
                self._registry.remove(launch)
                self._lingering.append(launch)
            else:
                self._forget(launch)

    def launcher_gone(self, fd: int) -> None:
        """A connection has ended; where it stood for a bottle, the bottle's launcher has."""
        launch = self._registry.of(fd)
        if launch is not None:
            note("launcher-gone", bottle=launch.bottle)
            launch.connection = None
            if launch.ordered:  # the rest when the answer is there
                for sidecar in launch.alive:
                    kill(sidecar.pidfd)
            else:
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
            for sidecar in launch.sidecars.values():
                handlers |= self._watched_of(launch, sidecar)
        return handlers

    def _watched_of(self, launch: Launch, sidecar: Sidecar) -> dict[int, Callable[[], None]]:
        handlers: dict[int, Callable[[], None]] = {}
        if sidecar.pidfd >= 0:
            handlers[sidecar.pidfd] = lambda: self._on_sidecar_end(launch, sidecar)
        if sidecar.link >= 0:
            handlers[sidecar.link] = lambda: self._on_link(launch, sidecar)
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
                for sidecar in launch.alive:
                    kill(sidecar.pidfd)
        for pidfd, (chore, _) in list(self._chores.items()):
            if now >= chore.deadline:
                self._end_chore(pidfd)

    def give_up(self, fd: int) -> None:
        """Stop listening to what made the loop stumble."""
        if fd == self.nursery.fileno():
            self.nursery.stop()
        for launch in self._registry.launches():
            for sidecar in launch.sidecars.values():
                if fd == sidecar.link:
                    self._close_link(sidecar)

    def stop(self) -> None:
        """End the parent and the chores that still run; sidecars are not touched."""
        self.nursery.stop()
        for pidfd in list(self._chores):
            self._end_chore(pidfd)

    def _record(self, launch: Launch, sidecar: Sidecar, pid: int) -> None:
        try:
            sidecar.recorded = self._records.write(launch.bottle, sidecar.kind, pid)
        except OSError as error:
            note("record-failed", bottle=launch.bottle, sidecar=sidecar.kind, error=error.strerror)

    # -- sidecars: hostile
    def _on_link(self, launch: Launch, sidecar: Sidecar) -> None:
        """Take a packet and drop it; read(2) has no room for descriptors, so the kernel closes those."""
        try:
            packet = os.read(sidecar.link, 64)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        sidecar.link_packets += 1
        if not packet or sidecar.link_packets >= MAX_LINK_PACKETS:
            if packet:
                note("talkative-sidecar", bottle=launch.bottle, sidecar=sidecar.kind)
            self._close_link(sidecar)

    def _on_sidecar_end(self, launch: Launch, sidecar: Sidecar) -> None:
        if sidecar.pidfd < 0:
            return
        self._close(launch, sidecar)
        if launch in self._lingering and not launch.alive:
            self._lingering.remove(launch)

    def _close_link(self, sidecar: Sidecar) -> None:
        if sidecar.link >= 0:
            os.close(sidecar.link)
            sidecar.link = -1

    def _close(self, launch: Launch, sidecar: Sidecar) -> None:
        """Nothing is known of it any more; it has ended, or was killed."""
        self._close_link(sidecar)
        if sidecar.pidfd >= 0:
            os.close(sidecar.pidfd)
            sidecar.pidfd = -1
        if sidecar.recorded is not None:
            self._records.discard(launch.bottle, sidecar.kind, sidecar.recorded)
            sidecar.recorded = None

    # -- reaping
    def _begin_reaping(self, launch: Launch) -> None:
        launch.state = State.REAPING
        for sidecar in launch.sidecars.values():
            self._close_link(sidecar)
            kill(sidecar.pidfd)
        bottle = launch.bottle
        self._begin_chore("reap", lambda: self._settings.reap(bottle), lambda: self._forget(launch), bottle)

    def _forget(self, launch: Launch) -> None:
        for sidecar in launch.sidecars.values():
            self._close(launch, sidecar)
        self._registry.remove(launch)

    def begin_recovery(self) -> None:
        self._begin_chore("recover", self._recover, lambda: None)

    def _recover(self) -> None:
        """In a chore, after a daemon and launchers that may have died together: end what has no launcher."""
        for bottle, kind, recorded in self._records.read_all():
            if is_running(self._settings.layout, bottle):
                continue
            if recorded.kill():
                note("orphan-killed", bottle=bottle, sidecar=recorded.pid)
            self._records.discard(bottle, kind, recorded)
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
