"""Programs started for the host: each has a channel of its own to whoever asked for it.

A request comes with a channel (and pipes, or none and a terminal is opened in here). On the channel the
host hears ``started`` (with the terminal's master), ``failed``, and at the end ``exit``; it may say
``signal``. When the host's end closes, the program's group is hung up. A child keeps nothing of init's:
every descriptor but its three is closed, and it runs under the bottle's limits.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import errno
import fcntl
import os
import resource
import termios
from struct import pack

from . import wire
from .loop import IN, Loop

TYPE_CHECKING = False  # as in typing, which takes 3 ms to import
if TYPE_CHECKING:
    from collections.abc import Sequence

NOFILE = 65536
"""Open files of a program, where the host allows so many."""
_MAX_FD = 1 << 20


class Setup:
    """What the host said once about every program inside."""

    def __init__(self, workdir: bytes, processes: int, env: Sequence[bytes]) -> None:
        self.workdir = workdir
        self.processes = processes
        self.env = dict(entry.partition(b"=")[::2] for entry in env)


class Programs:
    """Starts programs, tells their end, passes signals on."""

    def __init__(self, loop: Loop, setup: Setup) -> None:
        self._loop = loop
        self._setup = setup
        self._channels: dict[int, _socket.socket] = {}

    def spawn(self, fields: Sequence[bytes], fds: list[int]) -> None:
        """``cwd, rows, columns (empty: pipes), number of arguments, arguments…, NAME=value…``."""
        channel = _socket.socket(fileno=fds.pop(0))
        try:
            pid, master = self._start(fields, fds)
        except (OSError, ValueError, IndexError) as error:
            number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
            _say(channel, [b"failed", str(number).encode(), str(error).encode()[:500]])
            channel.close()
            return
        _say(channel, [b"started"], [] if master < 0 else [master])
        if master >= 0:
            os.close(master)
        self._channels[pid] = channel
        self._loop.watch(channel.fileno(), IN, lambda _events: self._heard(pid))

    def _start(self, fields: Sequence[bytes], fds: Sequence[int]) -> tuple[int, int]:
        cwd, rows, columns, count = fields[:4]
        argv = list(fields[4 : 4 + int(count)])
        env = dict(self._setup.env)
        env.update(entry.partition(b"=")[::2] for entry in fields[4 + int(count) :])
        if not argv:
            raise ValueError("no program")
        master = -1
        stdio = list(fds)
        if rows:
            master, slave = os.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, pack("4H", int(rows), int(columns), 0, 0))
            stdio = [slave] * 3
        elif len(stdio) != 3:
            raise ValueError("three descriptors are needed")
        try:
            pid = _fork_exec(argv, env, cwd or self._setup.workdir, stdio, bool(rows), self._setup.processes)
        except BaseException:
            if master >= 0:
                os.close(master)
            raise
        finally:
            if master >= 0:
                os.close(stdio[0])
        return pid, master

    def _heard(self, pid: int) -> None:
        channel = self._channels[pid]
        try:
            fields, fds = wire.receive(channel)
            wire.close_all(fds)
            if fields[0] == b"signal" and len(fields) == 2:
                os.killpg(pid, int(fields[1]))
        except ProcessLookupError:
            pass
        except (wire.WireError, OSError, ValueError):
            self._drop(pid)
            try:
                os.killpg(pid, _signal.SIGHUP)
                os.killpg(pid, _signal.SIGCONT)
            except ProcessLookupError:
                pass

    def reap(self) -> None:
        """Collect every ended process; tell those who asked for one. Orphans of the bottle end here too."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            channel = self._channels.get(pid)
            if channel is not None:
                code = os.waitstatus_to_exitcode(status)
                _say(channel, [b"exit", str(code if code >= 0 else 128 - code).encode()])
                self._drop(pid)

    def _drop(self, pid: int) -> None:
        channel = self._channels.pop(pid)
        self._loop.forget(channel.fileno())
        channel.close()


def _say(channel: _socket.socket, fields: Sequence[bytes], fds: Sequence[int] = ()) -> None:
    try:
        wire.send(channel, fields, fds)
    except wire.WireError:
        pass


def confine(processes: int) -> None:
    """The limits of a program: set before it runs, so that it can only lower them.

    NPROC counts per user namespace (Linux 5.14): the operator's own processes are not in it.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = min(NOFILE, hard) if hard != resource.RLIM_INFINITY else NOFILE
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _fork_exec(
    argv: list[bytes],
    env: dict[bytes, bytes],
    cwd: bytes,
    stdio: Sequence[int],
    terminal: bool,
    processes: int,
) -> int:
    """The child's pid once its exec has succeeded; OSError with what failed in it."""
    told, tells = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tells)
        try:
            trouble = os.read(told, 4)
        finally:
            os.close(told)
        if trouble:
            os.waitpid(pid, 0)
            number = int.from_bytes(trouble, "big")
            raise OSError(number, f"{os.fsdecode(argv[0])!r}: {os.strerror(number)}")
        return pid
    try:
        os.setsid()
        for number, fd in enumerate([os.dup(fd) for fd in stdio]):
            os.dup2(fd, number)
        if tells != 3:
            os.dup2(tells, 3, inheritable=False)
        os.closerange(4, _MAX_FD)
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for number in _signal.valid_signals() - {_signal.SIGKILL, _signal.SIGSTOP}:
            _signal.signal(
                number, _signal.SIG_DFL
            )  # ours, and what the launcher ignores (nohup, a shell's &)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
        confine(processes)
        os.chdir(cwd)
        _exec(argv, env)
    except BaseException as error:
        number = (error.errno if isinstance(error, OSError) else errno.EINVAL) or errno.EIO
        os.write(3, number.to_bytes(4, "big"))
    finally:
        os._exit(127)


def _exec(argv: list[bytes], env: dict[bytes, bytes]) -> None:
    """Look the program up on the PATH of *env*, as execvp(3) does."""
    if b"/" in argv[0]:
        os.execve(argv[0], argv, env)  # noqa: S606
    refused = errno.ENOENT
    for directory in env.get(b"PATH", b"/usr/bin:/bin").split(b":"):
        try:
            os.execve((directory or b".") + b"/" + argv[0], argv, env)  # noqa: S606
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                raise
            if error.errno == errno.EACCES:
                refused = errno.EACCES
    raise OSError(refused, os.strerror(refused))
