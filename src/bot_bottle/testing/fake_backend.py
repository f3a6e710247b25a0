"""A backend that isolates nothing: programs run as plain subprocesses of the host, in a temporary tree.

For tests of what uses backends. It passes :class:`~bot_bottle.testing.backend_suite.BackendSuite` and says
of every limit that it is not enforced; its self-test reports one line that says what it is. Paths below
``/home/node`` lie in the layers' upper directories, since there is no mount to put them in their place;
``HOME`` is set to where it really is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import struct
import subprocess
import termios
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from bot_bottle.sandbox.contract import (
    BottleSpec,
    Limit,
    Problem,
    ProgramNotStarted,
    Resources,
    SandboxError,
    SelfTestFailed,
    Terminal,
)

HOME = PurePosixPath("/home/node")
MAX_SOCKET_PATH_BYTES = 107  # unix(7)


class FakeProcess:
    """A subprocess in its own session; see :class:`bot_bottle.sandbox.contract.Process`."""

    def __init__(self, child: subprocess.Popen[bytes], stdin: int, stdout: int, stderr: int | None) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self._child = child
        self._over, tells = os.pipe()
        self.gone = False
        threading.Thread(target=_collect, args=(child, tells), daemon=True).start()

    def __del__(self) -> None:
        if self._child.returncode is None:
            self.signal(signal.SIGHUP)
        os.close(self._over)

    def fileno(self) -> int:
        return self._over

    def wait(self, timeout_s: float | None = None) -> int:
        try:
            status = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        if self.gone:
            raise SandboxError("the bottle is gone")
        return status if status >= 0 else 128 - status

    def signal(self, number: int) -> None:
        """As the contract says."""
        if self._child.returncode is None:
            try:
                os.killpg(self._child.pid, number)
            except ProcessLookupError:
                pass

    def resize(self, terminal: Terminal) -> None:
        fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, struct.pack("4H", terminal.rows, terminal.columns, 0, 0))


class FakeBottle:
    """Directories and what runs in them; see :class:`bot_bottle.sandbox.contract.Bottle`."""

    def __init__(self, spec: BottleSpec, failing_probes: Sequence[str] = ()) -> None:
        self.identity = spec.identity
        self.spec = spec
        self.written: dict[PurePosixPath, tuple[bytes, int]] = {}
        """what :meth:`write` was given, for tests to look at"""
        self.stopped = False
        self._failing_probes = failing_probes
        self._processes: weakref.WeakSet[FakeProcess] = weakref.WeakSet()
        self._over, self._tells = os.pipe()
        for layer in spec.layers:
            if layer.lower is not None and not (layer.work / "copied").exists():
                shutil.copytree(layer.lower, layer.upper, symlinks=True, dirs_exist_ok=True)
                (layer.work / "copied").touch()

    def host_path(self, inside: PurePosixPath) -> Path:
        """Where *inside* lies on the host: in the innermost layer that holds it."""
        for layer in sorted(self.spec.layers, key=lambda layer: -len(layer.target.parts)):
            if inside.is_relative_to(layer.target):
                return layer.upper / inside.relative_to(layer.target)
        raise SandboxError(f"{str(inside)!r} lies in no layer")

    def self_test(self, timeout_s: float) -> Mapping[str, str]:
        if self._failing_probes:
            raise SelfTestFailed(self._failing_probes)
        return {"isolation": f"none: this is the fake (asked within {timeout_s:g} s)"}

    def write(self, path: PurePosixPath, content: bytes, mode: int) -> None:
        self._alive()
        target = self.host_path(path)
        temporary = target.with_name(f".{target.name}.new")
        try:
            if not path.is_relative_to(HOME):
                raise PermissionError(13, "only the home can be written")
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            temporary.chmod(mode)
            temporary.rename(target)
        except OSError as error:
            raise SandboxError(
                f"{str(path)!r} could not be written in the bottle: {error.strerror}"
            ) from error
        self.written[path] = (content, mode)

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
        terminal: Terminal | None = None,
    ) -> FakeProcess:
        self._alive()
        home = {"HOME": str(self.host_path(HOME))} if "HOME" in self.spec.env else {}
        variables = {**self.spec.env, **home, **(env or {})}
        directory = self.host_path(cwd or self.spec.workdir)
        master, slave = os.openpty() if terminal else (-1, subprocess.PIPE)
        try:
            if terminal:
                size = struct.pack("4H", terminal.rows, terminal.columns, 0, 0)
                fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
            child = subprocess.Popen(
                list(argv), stdin=slave, stdout=slave, stderr=slave, env=variables, cwd=directory,
                start_new_session=True, preexec_fn=_take_terminal if terminal else None,
            )  # fmt: skip
        except OSError as error:
            if terminal:
                os.close(master)
            status = 127 if isinstance(error, FileNotFoundError | NotADirectoryError) else 126
            raise ProgramNotStarted(argv[0], error.strerror or "", status) from error
        finally:
            if terminal:
                os.close(slave)
        process = FakeProcess(child, *((master, master, None) if terminal else _pipes(child)))
        self._processes.add(process)
        return process

    def fileno(self) -> int:
        return self._over

    def stop(self) -> None:
        if self.stopped:
            return
        self.stopped = True
        for process in self._processes:
            process.gone = True
            process.signal(signal.SIGKILL)
        self.spec.exec_socket.unlink(missing_ok=True)
        os.close(self._tells)

    def __del__(self) -> None:
        if not self.stopped:
            os.close(self._tells)
        os.close(self._over)

    def _alive(self) -> None:
        if self.stopped:
            raise SandboxError("the bottle is gone")


class FakeAttached:
    """A second handle on a :class:`FakeBottle`; it forgets its programs, which hangs them up."""

    def __init__(self, bottle: FakeBottle) -> None:
        self.identity = bottle.identity
        self._bottle = bottle

    def self_test(self, timeout_s: float) -> Mapping[str, str]:
        raise SandboxError(f"only the launching process tests a bottle (not within {timeout_s:g} s)")

    def write(self, path: PurePosixPath, content: bytes, mode: int) -> None:
        self._bottle.write(path, content, mode)

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
        terminal: Terminal | None = None,
    ) -> FakeProcess:
        return self._bottle.spawn(argv, env=env, cwd=cwd, terminal=terminal)

    def fileno(self) -> int:
        return self._bottle.fileno()

    def stop(self) -> None:
        """The bottle is somebody else's."""


class FakeBackend:
    """*failing_probes*: what a self-test finds open; *problems*: what ``check`` says."""

    name = "fake"

    def __init__(self, *, failing_probes: Sequence[str] = (), problems: Sequence[Problem] = ()) -> None:
        self.bottles: dict[Path, FakeBottle] = {}
        """by exec socket, the latest of each; also those that have ended"""
        self.reaped: list[str] = []
        self._failing_probes = failing_probes
        self._problems = problems

    def check(self) -> list[Problem]:
        return list(self._problems)

    def unenforced(self, resources: Resources) -> list[Limit]:
        del resources
        return ["cpus", "memory_bytes", "pids"]

    def start(self, spec: BottleSpec) -> FakeBottle:
        missing = sorted(spec.resources.explicit & set(self.unenforced(spec.resources)))
        if missing:
            raise SandboxError(f"the fake can't enforce {', '.join(missing)} (leave it out)")
        if len(os.fsencode(spec.exec_socket)) > MAX_SOCKET_PATH_BYTES:
            raise SandboxError(f"the socket's path {str(spec.exec_socket)!r} is too long (use a shorter one)")
        spec.exec_socket.touch()
        self.bottles[spec.exec_socket] = FakeBottle(spec, self._failing_probes)
        return self.bottles[spec.exec_socket]

    def attach(self, exec_socket: Path) -> FakeAttached:
        bottle = self.bottles.get(exec_socket)
        if bottle is None or bottle.stopped:
            raise SandboxError(f"the bottle does not listen on {str(exec_socket)!r} (it may have ended)")
        return FakeAttached(bottle)

    def reap(self, identity: str) -> None:
        self.reaped.append(identity)


def _collect(child: subprocess.Popen[bytes], tells: int) -> None:
    """Apart from the process, which must be free to be dropped."""
    child.wait()
    os.close(tells)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _pipes(child: subprocess.Popen[bytes]) -> tuple[int, int, int]:
    """The child's pipes as plain descriptors of the caller's."""
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    fds = []
    for file in (child.stdin, child.stdout, child.stderr):
        fds.append(os.dup(file.fileno()))
        file.close()
    child.stdin = child.stdout = child.stderr = None
    return fds[0], fds[1], fds[2]
