"""The commands' end of the daemon's socket: connect, start it on demand, ask.

On the way of every ``run``: imports nothing heavy, knows no event loop. It decides nothing; what the
daemon refuses is raised as :class:`DaemonError`.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from bot_bottle.base.errors import BotBottleError
from bot_bottle.ipc import wire
from bot_bottle.ipc.daemon import (
    PROTOCOL,
    Adopt,
    Done,
    Failed,
    Finished,
    Launched,
    LaunchSidecar,
    Reply,
    Status,
    StatusRequest,
)
from bot_bottle.ipc.sidecar import KindName, SidecarSpec
from bot_bottle.store.directories import prepare
from bot_bottle.store.layout import Layout

DAEMON_PROGRAM = (sys.executable, "-P", "-m", "bot_bottle.cli.daemon")
"""``-P``: a package of our name in the directory that a command is run in is never imported."""

START_TIMEOUT_S = 20.0
"""From the start of the interpreter to a listening socket: 0.2 s on an idle machine."""

ANSWER_TIMEOUT_S = 10.0
"""The daemon answers within a millisecond: nothing in it blocks."""

LAUNCH_TIMEOUT_S = 35.0
"""A launch may wait for the preloaded parent's imports and its fork; the daemon gives up on each first."""

MAX_LOG_BYTES = 1024 * 1024
"""The daemon's own log is moved aside (one generation) when it starts with more than this."""

_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_RUNTIME_DIR")
"""All that the daemon gets of the environment of the command that happens to start it."""

_READY_FD = 3
_READY = b"ready\n"


class DaemonError(BotBottleError):
    """The daemon could not be started or refused."""


class SidecarHandle(Struct, frozen=True):
    """A running sidecar. ``pidfd`` is the caller's to close; readable when the sidecar has ended."""

    pid: int
    pidfd: int


class DaemonClient:
    """One connection to the daemon; the one that launched a sidecar stands for the bottle's life."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._launched: dict[str, SidecarHandle] = {}
        """by kind: what has come and was not waited for yet"""

    @classmethod
    def connect(cls, layout: Layout) -> DaemonClient | None:
        """A connection to the daemon that runs now; None when there is none.

        Raises :class:`DaemonError` when it is of another version, or not ours.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            sock.settimeout(ANSWER_TIMEOUT_S)
            try:
                sock.connect(str(layout.daemon_socket))
            except (FileNotFoundError, ConnectionRefusedError):
                sock.close()
                return None
            peer = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if peer[1] != os.geteuid():
                raise DaemonError(f"{str(layout.daemon_socket)!r} is served by uid {peer[1]}: remove it")
            client = cls(sock)
            # A daemon that is just ending took the connection but will not answer: as if there were none.
            if client._ask(StatusRequest(), may_end=True) is None:
                sock.close()
                return None
        except OSError as error:
            sock.close()
            raise DaemonError(
                f"the daemon's socket {str(layout.daemon_socket)!r} can't be used: {error.strerror or error}"
            ) from error
        except BaseException:
            sock.close()
            raise
        return client

    @classmethod
    def ensure(cls, layout: Layout, program: Sequence[str] = DAEMON_PROGRAM) -> DaemonClient:
        """A connection to the daemon, which is started if none runs; many may ask at once.

        Raises :class:`DaemonError`, or ``UnsafeDirectory`` when the state's directories are not ours.
        """
        prepare(layout)
        client = cls.connect(layout)
        if client is not None:
            return client
        with start_lock(layout):
            client = cls.connect(layout)
            if client is None:
                _start(layout, program)
                client = cls.connect(layout)
        if client is None:
            raise DaemonError(f"the daemon ended at once: see {str(log_path(layout))!r}")
        return client

    def launch_sidecar(
        self, spec: SidecarSpec, *, listener: int, control: int, secrets: int, log: int
    ) -> SidecarHandle:
        """Register the bottle and fork its sidecar: :meth:`request_sidecar` and :meth:`await_sidecar`."""
        self.request_sidecar(spec, listener=listener, control=control, secrets=secrets, log=log)
        return self.await_sidecar(spec.kind)

    def request_sidecar(
        self, spec: SidecarSpec, *, listener: int, control: int, secrets: int, log: int
    ) -> None:
        """Ask for a sidecar and go on; the caller closes its own copies of the four descriptors. Of each kind
        one may be asked for, before the others are there.

        From here on this connection stands for the bottle: closing it without :meth:`finished` (or being
        killed) makes the daemon reap the bottle.
        """
        try:
            wire.send(self._sock, LaunchSidecar(spec), (listener, control, secrets, log))
        except wire.WireError as error:
            raise DaemonError(f"the daemon did not take the request: {error}; try again") from error

    def await_sidecar(self, kind: KindName) -> SidecarHandle:
        """The answer to :meth:`request_sidecar` for that kind. Raises :class:`DaemonError` when one that was
        asked for, of whatever kind, could not be made: the bottle can't be launched then."""
        self._sock.settimeout(LAUNCH_TIMEOUT_S)
        try:
            while kind not in self._launched:
                reply, fds = self._reply()
                if not isinstance(reply, Launched) or len(fds) != 1 or reply.kind in self._launched:
                    wire.close_all(fds)
                    raise DaemonError(_refusal(reply))
                self._launched[reply.kind] = SidecarHandle(reply.sidecar_pid, fds[0])
        finally:
            self._sock.settimeout(ANSWER_TIMEOUT_S)
        return self._launched.pop(kind)

    def adopt(self, bottle: str, pidfds: Mapping[KindName, int]) -> None:
        """Register a running bottle with a daemon that was started after it: a pidfd of each sidecar, by kind."""
        self._expect_done(Adopt(bottle, tuple(pidfds)), tuple(pidfds.values()))

    def finished(self) -> None:
        """The bottle is gone and nothing is left of it; the daemon forgets it."""
        self._expect_done(Finished())

    def status(self) -> Status:
        status = self._ask(StatusRequest())
        assert status is not None
        return status

    def fileno(self) -> int:
        """Readable (outside of calls) when the daemon has ended: reconnect with ``ensure`` and adopt."""
        return self._sock.fileno()

    def close(self) -> None:
        for handle in self._launched.values():
            os.close(handle.pidfd)
        self._launched.clear()
        self._sock.close()

    def __enter__(self) -> DaemonClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _expect_done(self, message: Any, fds: Sequence[int] = ()) -> None:
        try:
            wire.send(self._sock, message, fds)
        except wire.WireError as error:
            raise DaemonError(f"the daemon is gone: {error}") from error
        reply, received = self._reply()
        wire.close_all(received)
        while isinstance(reply, Launched):  # of a sidecar that nobody waits for any more
            reply, received = self._reply()
            wire.close_all(received)
        if not isinstance(reply, Done):
            raise DaemonError(_refusal(reply))

    def _ask(self, message: StatusRequest, *, may_end: bool = False) -> Status | None:
        try:
            wire.send(self._sock, message)
            reply, fds = wire.receive(self._sock, Reply)
        except TimeoutError as error:
            raise DaemonError("the daemon does not answer: end its process") from error
        except wire.WireError as error:
            if may_end and error.closed:
                return None
            raise DaemonError(f"the daemon gave no answer: {error}") from error
        wire.close_all(fds)
        if not isinstance(reply, Status):
            raise DaemonError(_refusal(reply))
        if reply.protocol != PROTOCOL:
            raise DaemonError(f"the running daemon is of another version: end it with 'kill {reply.pid}'")
        return reply

    def _reply(self) -> tuple[Any, list[int]]:
        try:
            return wire.receive(self._sock, Reply)
        except TimeoutError as error:
            raise DaemonError(f"the daemon did not answer within {self._sock.gettimeout():g} s") from error
        except wire.WireError as error:
            raise DaemonError(f"the daemon is gone: {error}") from error


def _refusal(reply: object) -> str:
    return reply.reason if isinstance(reply, Failed) else f"the daemon answered {type(reply).__name__}"


def log_path(layout: Layout) -> str:
    """Where the daemon's own messages go."""
    return str(layout.home / "logs" / "daemon.log")


def wake(layout: Layout) -> None:
    """Have the daemon started, if none runs, while the caller goes on with something else.

    A forked child does what :meth:`DaemonClient.ensure` does and ends; what goes wrong there is found and
    said by the caller's own ``ensure``. Called before there is a thread, a lock or a secret to inherit.
    """
    if os.path.lexists(layout.daemon_socket):
        return
    if os.fork() == 0:
        try:
            DaemonClient.ensure(layout).close()
        finally:
            os._exit(0)


@contextmanager
def start_lock(layout: Layout, *, wait: bool = True) -> Iterator[bool]:
    """Whoever starts or ends a daemon holds this; yields False when *wait* is False and it is taken."""
    fd = os.open(layout.run / "controller.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def _start(layout: Layout, program: Sequence[str]) -> None:
    """Start the daemon in a session of its own and wait until its socket listens."""
    log = log_path(layout)
    _rotate(log)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    high = fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, 10)  # never one of the numbers assigned below
    os.close(writing)
    argv = [*program, "--home", str(layout.home), "--shared", str(layout.shared), "--run", str(layout.run)]
    try:
        pid = os.posix_spawn(
            argv[0],
            argv,
            {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, high, _READY_FD),
            ],
            setsid=True,
            setsigmask=(),
        )
    except OSError as error:
        os.close(reading)
        raise DaemonError(f"the daemon can't be started ({argv[0]!r}): {error.strerror}") from error
    finally:
        os.close(high)
    try:
        said = _read_to_end(reading, START_TIMEOUT_S)
    finally:
        os.close(reading)
    if said is None:
        raise DaemonError(f"the daemon did not come up within {START_TIMEOUT_S:g} s: see {log!r}")
    os.waitpid(pid, 0)  # its first process ends as soon as the second one, the daemon, is forked
    if said != _READY:
        reason = said.decode("utf-8", "replace").strip()
        raise DaemonError(reason or f"the daemon could not start: see {log!r}")


def _read_to_end(fd: int, timeout_s: float) -> bytes | None:
    """All that comes through *fd* (bounded); None when its writers are not gone in time."""
    deadline = time.monotonic() + timeout_s
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    said = b""
    while len(said) < 4096:
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return None
        chunk = os.read(fd, 4096)
        if not chunk:
            break
        said += chunk
    return said


def _rotate(log: str) -> None:
    try:
        if os.stat(log).st_size > MAX_LOG_BYTES:
            os.replace(log, log + ".1")
    except FileNotFoundError:
        pass
