"""The host's side of a bottle's exec service: programs, files and the self-test, over packets to init.

Used by every backend whose bottles run our shim. What comes back is bounded and hostile; a bottle that
breaks the protocol is treated as gone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from bot_bottle.base.text import printable
from bot_bottle.sandbox.contract import ProgramNotStarted, SandboxError, Terminal
from bot_bottle.sandbox.shim import wire

ANSWER_TIMEOUT_S = 30.0
"""How long init may take to start a program or write a file: it does nothing that blocks."""


class Channel(socket.socket):
    """The host's end of one request's own connection; closes when nobody holds it any more."""

    def __del__(self) -> None:
        self.close()


class GuestProcess:
    """One program inside; see :class:`bot_bottle.sandbox.contract.Process`. Its channel closes with it."""

    def __init__(self, channel: Channel, stdin: int, stdout: int, stderr: int | None) -> None:
        self._channel = channel
        self._status: int | None = None
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

    def fileno(self) -> int:
        return self._channel.fileno()

    def wait(self, timeout_s: float | None = None) -> int:
        if self._status is None:
            fields, fds = receive(self._channel, timeout_s, "the bottle is gone")
            wire.close_all(fds)
            if fields[0] != b"exit" or len(fields) != 2 or not _is_small_number(fields[1]):
                raise SandboxError("the bottle's init broke its protocol (stop the bottle)")
            self._status = int(fields[1]) & 0xFF
        return self._status

    def signal(self, number: int) -> None:
        if self._status is None:
            try:
                wire.send(self._channel, [b"signal", str(int(number)).encode()])
            except wire.WireError:
                pass

    def resize(self, terminal: Terminal) -> None:
        size = struct.pack("4H", terminal.rows, terminal.columns, 0, 0)
        try:
            fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, size)
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EBADF, errno.ENOTTY):
                raise


class Guest:
    """A connection to a bottle's init."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def ask(self, fields: Sequence[bytes], fds: Sequence[int] = ()) -> Channel:
        """Send a request with a new channel; the channel's host end."""
        end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine = Channel(fileno=end.detach())
        try:
            wire.send(self.connection, fields, (theirs.fileno(), *fds))
        except wire.WireError as error:
            mine.close()
            raise SandboxError("the bottle is gone") from error
        finally:
            theirs.close()
        return mine

    def write(self, path: PurePosixPath, content: bytes, mode: int) -> None:
        with self.ask([b"write", bytes(path), b"%o" % mode, content]) as channel:
            fields, fds = receive(channel, ANSWER_TIMEOUT_S, "the bottle is gone")
        wire.close_all(fds)
        if fields[0] != b"done":
            raise SandboxError(f"{str(path)!r} could not be written in the bottle: {_reason(fields[1:])}")

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
        terminal: Terminal | None = None,
    ) -> GuestProcess:
        size = (b"", b"")
        if terminal is not None:
            size = (b"%d" % terminal.rows, b"%d" % terminal.columns)
        fields = [
            b"spawn",
            b"" if cwd is None else bytes(cwd),
            *size,
            b"%d" % len(argv),
            *(os.fsencode(argument) for argument in argv),
            *(os.fsencode(f"{name}={value}") for name, value in (env or {}).items()),
        ]
        pipes = [] if terminal is not None else [os.pipe(), os.pipe(), os.pipe()]
        theirs = [] if terminal is not None else [pipes[0][0], pipes[1][1], pipes[2][1]]
        mine = [] if terminal is not None else [pipes[0][1], pipes[1][0], pipes[2][0]]
        try:
            channel = self.ask(fields, theirs)
        except BaseException:
            wire.close_all(mine)
            raise
        finally:
            wire.close_all(theirs)
        try:
            stdin, stdout, stderr = self._started(channel, argv[0] if argv else "", mine)
        except BaseException:
            wire.close_all(mine)
            channel.close()
            raise
        return GuestProcess(channel, stdin, stdout, stderr)

    @staticmethod
    def _started(channel: Channel, name: str, pipes: Sequence[int]) -> tuple[int, int, int | None]:
        fields, fds = receive(channel, ANSWER_TIMEOUT_S, "the bottle is gone")
        if fields[0] == b"started" and len(fds) == (0 if pipes else 1):
            if pipes:
                return pipes[0], pipes[1], pipes[2]
            return fds[0], fds[0], None
        wire.close_all(fds)
        if fields[0] != b"failed" or len(fields) != 3 or not _is_small_number(fields[1]):
            raise SandboxError("the bottle's init broke its protocol (stop the bottle)")
        status = 127 if int(fields[1]) in (errno.ENOENT, errno.ENOTDIR) else 126
        raise ProgramNotStarted(name, _reason(fields[2:]), status)


def attach(exec_socket: os.PathLike[str]) -> Guest:
    """A second connection to a running bottle; raises :class:`SandboxError` when nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(os.fspath(exec_socket))
    except OSError as error:
        connection.close()
        raise SandboxError(
            f"the bottle does not listen on {str(exec_socket)!r}: {error.strerror} (it may have ended; "
            "see 'bot-bottle list')"
        ) from error
    return Guest(connection)


def receive(channel: socket.socket, timeout_s: float | None, gone: str) -> tuple[list[bytes], list[int]]:
    """One packet from init; SandboxError(*gone*) at the end of the channel, TimeoutError."""
    channel.settimeout(timeout_s)
    try:
        return wire.receive(channel)
    except wire.WireError as error:
        raise SandboxError(gone) from error


def _is_small_number(field: bytes) -> bool:
    """A status or an errno; init may be in hostile hands, and int() refuses what is very long."""
    return len(field) <= 5 and field.isdigit()


def _reason(fields: Sequence[bytes]) -> str:
    return printable(b" ".join(fields).decode("utf-8", "replace"), limit=300)


def wait_readable(fd: int, timeout_s: float) -> bool:
    """Whether *fd* became readable in time."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(max(timeout_s, 0) * 1000))


def kill_and_wait(pidfd: int, timeout_s: float) -> bool:
    """Kill the process behind *pidfd* and wait for its end (for a namespace's init: of all in it)."""
    deadline = time.monotonic() + timeout_s
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        return True
    return wait_readable(pidfd, deadline - time.monotonic())
