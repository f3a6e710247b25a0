"""The bubblewrap backend: Linux namespaces, no daemon, no image; the embedded default.

The launching process forks a *stage* (``sandbox.bwrap.stage``) that becomes bwrap, whose first program is
our init. Start bottles from the main thread: the kernel ends them with the *thread* that forked them.
Everything hangs on the launching process by two independent ties: the kernel's parent death
signal from bwrap down to the PID namespace, and init's own end when its control socket ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bot_bottle.base import messages, seccomp
from bot_bottle.base.process import find_program
from bot_bottle.base.text import printable
from bot_bottle.sandbox import bundle, selftest
from bot_bottle.sandbox.bwrap import arguments, limits, stage
from bot_bottle.sandbox.contract import (
    BottleSpec,
    Limit,
    Mount,
    Problem,
    Resources,
    SandboxError,
    Terminal,
)
from bot_bottle.sandbox.guest import Guest, GuestProcess, attach, kill_and_wait, receive
from bot_bottle.sandbox.shim import wire

START_TIMEOUT_S = 30.0
"""Until init answers; some 25 ms on an idle machine."""
STOP_TIMEOUT_S = 10.0
"""The kernel ends a namespace's processes in milliseconds, unless they hang in I/O."""
_MAX_SOCKET_PATH_BYTES = 107  # unix(7)
_OLDEST_PYTHON_INSIDE = 9  # 3.9: os.pidfd_open


class AttachedBottle:
    """A further handle on somebody else's bottle: programs and files, neither self-test nor end."""

    def __init__(self, identity: str, guest: Guest) -> None:
        self.identity = identity
        self._guest = guest

    def self_test(self, timeout_s: float) -> Mapping[str, str]:
        raise SandboxError(
            f"only the launching process tests a bottle, at its start (not within {timeout_s:g} s)"
        )

    def write(self, path: PurePosixPath, content: bytes, mode: int) -> None:
        self._guest.write(path, content, mode)

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
        terminal: Terminal | None = None,
    ) -> GuestProcess:
        return self._guest.spawn(argv, env=env, cwd=cwd, terminal=terminal)

    def fileno(self) -> int:
        return self._guest.connection.fileno()

    def stop(self) -> None:
        self._guest.connection.close()


class BubblewrapBottle(AttachedBottle):
    """A running bottle; see :class:`bot_bottle.sandbox.contract.Bottle`."""

    def __init__(
        self, spec: BottleSpec, guest: Guest, monitor: int, init: _Init, groups: Sequence[Path]
    ) -> None:
        super().__init__(spec.identity, guest)
        self.every_port = init.every_port
        """whether all TCP ports of all addresses are carried to the proxy; else 80 and 443 of names"""
        self._spec = spec
        self._monitor = monitor
        self._pidfd = init.pidfd
        self._groups = groups
        self._stopped = False

    def self_test(self, timeout_s: float) -> Mapping[str, str]:
        _refuse_root(self._monitor)
        order = selftest.order(self._spec.probes, stage.PROXY_PORT, every_port=self.every_port)
        with self._guest.ask(order) as channel:
            fields, fds = receive(channel, timeout_s, "the bottle ended during its self-test")
        wire.close_all(fds)
        return selftest.judge(fields, self._spec.probes)

    def fileno(self) -> int:
        return self._pidfd

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        kill_and_wait(self._pidfd, STOP_TIMEOUT_S)
        os.close(self._pidfd)
        self._guest.connection.close()
        _end_monitor(self._monitor)
        _clear(self._spec, self._groups)


class BubblewrapBackend:
    """*scope*: a short hex name of the state root, so that two of them don't share control groups."""

    name = "bubblewrap"

    def __init__(self, scope: str) -> None:
        self._scope = scope

    def check(self) -> list[Problem]:
        from bot_bottle.sandbox.bwrap import doctor  # 3 ms that a launch need not pay

        return doctor.check()

    def unenforced(self, resources: Resources) -> list[Limit]:
        del resources  # what the host takes does not depend on the numbers
        return limits.find_groups(self._scope).unenforced()

    def start(self, spec: BottleSpec) -> BubblewrapBottle:
        _check_uid(spec)
        groups = self._groups(spec)
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        monitor = 0
        try:
            with theirs, _exec_listener(spec.exec_socket) as listener, _Log(spec.log) as log:
                _say_setup(mine, spec)
                fds = {"control": theirs.fileno(), "exec": listener.fileno(), "log": log.fd}
                monitor = self._fork(spec, groups, fds)
                theirs.close()
                init = _await_init(mine, log)
                _hold(init.pidfd, groups)
        except BaseException:
            mine.close()
            if monitor:
                _end_monitor(monitor)
            _clear(spec, groups)
            raise
        if not init.every_port:
            messages.warning(
                "programs that heed no proxy setting are carried on ports 80 and 443 only ('bot-bottle doctor')"
            )
        return BubblewrapBottle(spec, Guest(mine), monitor, init, groups)

    def attach(self, exec_socket: Path) -> AttachedBottle:
        return AttachedBottle(exec_socket.stem, attach(exec_socket))

    def reap(self, identity: str) -> None:
        groups = limits.groups_of(limits.find_groups(self._scope), identity)
        limits.kill(groups)
        limits.remove(groups)

    def plan(self, spec: BottleSpec, fds: Mapping[str, int]) -> stage.Plan:
        """The stage's orders; a test overrides this to open a hole on purpose."""
        bwrap = find_program("bwrap")
        if bwrap is None:
            raise SandboxError("bubblewrap is not installed: apt install bubblewrap")
        python, compiled, extra = _interpreter()
        mounts = (*spec.mounts, *extra)
        machine = os.uname().machine
        return stage.Plan(
            launcher=os.getpid(),
            uid=spec.uid,
            layers=spec.layers,
            view=arguments.View(None, (), spec.etc, spec.sockets, ()),
            mounts=mounts,
            bwrap=str(bwrap),
            python=python,
            shim=bundle.bundle(compiled=compiled),
            seccomp=seccomp.program(machine, seccomp.Profile.BOTTLE),
            control=fds["control"],
            exec_listener=fds["exec"],
            log=fds["log"],
            trouble=fds["trouble"],
            gate=spec.gate,
        )

    def _groups(self, spec: BottleSpec) -> list[Path]:
        found = limits.find_groups(self._scope)
        missing = sorted(spec.resources.explicit & set(found.unenforced()))
        if missing:
            raise SandboxError(
                f"the limits {', '.join(missing)} can't be enforced here: no control group can be written "
                "(leave them out of 'resources', or start where cgroups are delegated)"
            )
        try:
            return limits.create(found, spec.identity, spec.resources)
        except OSError as error:
            if spec.resources.explicit - {"disk_bytes"}:
                raise SandboxError(f"the bottle's limits could not be set: {error}") from error
            messages.warning(f"the default limits of cpus and memory could not be set: {error}")
            return []

    def _fork(self, spec: BottleSpec, groups: Sequence[Path], fds: Mapping[str, int]) -> int:
        """Start the stage and move it while it works; the pid of what goes on as bwrap."""
        told, tells = os.pipe()
        try:
            plan = self.plan(spec, {**fds, "trouble": tells})
            pid = os.fork()
            if pid == 0:
                stage.run(plan)
        except BaseException:
            os.close(told)
            raise
        finally:
            os.close(tells)
        with os.fdopen(told, "rb") as file:
            told_first = file.readline()
            os.waitpid(pid, 0)
            if not told_first.endswith(b"\n"):  # the stage failed before it forked
                trouble = told_first or b"it was killed"
            else:
                pid = int(told_first)
                try:
                    limits.move(groups, pid)
                except ProcessLookupError:
                    pass  # it has failed already, and says why
                except OSError as error:
                    _end_monitor(pid)
                    raise SandboxError(f"the bottle's limits could not be set: {error}") from error
                trouble = file.read()
                if trouble:
                    _end_monitor(pid)
        if trouble:
            reason = printable(trouble.decode("utf-8", "replace"), limit=500)
            raise SandboxError(f"the bottle could not be made: {reason} (run 'bot-bottle doctor')")
        return pid


class _Log:
    """Where bwrap and init complain: the bottle's log, or memory; its tail goes into an error."""

    def __init__(self, path: Path | None) -> None:
        if path is None:
            self.fd = os.memfd_create("bot-bottle-log")
        else:
            self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._start = os.fstat(self.fd).st_size

    def tail(self) -> str:
        """What was said since the start."""
        size = os.fstat(self.fd).st_size
        text = os.pread(self.fd, 1000, max(self._start, size - 1000))
        return printable(text.decode("utf-8", "replace").strip(), limit=500)

    def __enter__(self) -> _Log:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _check_uid(spec: BottleSpec) -> None:
    """The host's root inside a bottle is no sandbox: host sysctls stayed writable (research 5.5)."""
    if os.geteuid() == 0 and not spec.uid:
        raise SandboxError("a bottle started by root needs an unprivileged uid of its own (none was given)")
    if os.geteuid() != 0 and spec.uid not in (None, os.geteuid()):
        raise SandboxError(f"only root can start a bottle as the uid {spec.uid}: leave the uid out")


def _refuse_root(pid: int) -> None:
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        ids = next(line for line in file if line.startswith("Uid:")).split()[1:]
    if "0" in ids:
        raise SandboxError("the bottle runs as the host's root: it is no sandbox (this is a bug; report it)")


def _exec_listener(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH_BYTES:
        raise SandboxError(f"the socket's path {str(path)!r} is longer than {_MAX_SOCKET_PATH_BYTES} bytes")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(16)
    except OSError as error:
        listener.close()
        raise SandboxError(f"{str(path)!r} could not be listened on: {error.strerror}") from error
    return listener


def _say_setup(control: socket.socket, spec: BottleSpec) -> None:
    env = [os.fsencode(f"{name}={value}") for name, value in spec.env.items()]
    wire.send(control, [b"setup", bytes(spec.workdir), b"%d" % spec.resources.pids, *env])


class _Init(NamedTuple):
    pidfd: int
    every_port: bool


def _await_init(control: socket.socket, log: _Log) -> _Init:
    """Init, once it serves."""
    try:
        fields, fds = receive(control, START_TIMEOUT_S, "the bottle's init did not start")
    except (SandboxError, TimeoutError) as error:
        tail = log.tail()
        raise SandboxError(
            f"the bottle's init did not start: {tail or 'it said nothing'} (run 'bot-bottle doctor')"
        ) from error
    if fields not in ([b"ready", b"every"], [b"ready", b"few"]) or len(fds) != 1:
        wire.close_all(fds)
        raise SandboxError("the bottle's init broke its protocol (this is a bug; report it)")
    return _Init(fds[0], fields[1] == b"every")


def _hold(pidfd: int, groups: Sequence[Path]) -> None:
    """Make sure that init, still alone in there, is in *groups*: it may have been forked before the move."""
    if not groups:
        return
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as file:
        pid = int(next(line for line in file if line.startswith("Pid:")).split()[1])
    if pid <= 0:
        raise SandboxError("the bottle's init ended at once (see the bottle's log)")
    try:
        limits.move([group for group in groups if not limits.holds(group, pid)], pid)
    except OSError as error:
        raise SandboxError(f"the bottle's limits could not be set: {error}") from error


def _end_monitor(pid: int) -> None:
    """Kill bwrap, our child, and collect it; what is below dies with it."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def _clear(spec: BottleSpec, groups: Sequence[Path]) -> None:
    spec.exec_socket.unlink(missing_ok=True)
    if groups:
        limits.kill(groups)
        limits.remove(groups)


def _interpreter() -> tuple[str, bool, tuple[Mount, ...]]:
    """Python inside: its path, whether it takes our compiled modules, what must be bound for it.

    Ours where it lies below ``/usr``, else the host's ``/usr/bin/python3``, else ours with its prefix.
    """
    own = os.path.realpath(sys.executable)
    if own.startswith("/usr/"):
        return own, True, ()
    system = os.path.realpath(shutil.which("python3", path="/usr/bin:/usr/local/bin") or "/")
    name, _, minor = os.path.basename(system).rpartition(".")
    if name == "python3" and minor.isdigit() and int(minor) >= _OLDEST_PYTHON_INSIDE:
        return system, int(minor) == sys.version_info[1], ()
    prefix = Path(os.path.realpath(sys.base_prefix))
    return own, True, (Mount(prefix, PurePosixPath(prefix)),)
