"""PROCESS, child of the daemon: imports what a sidecar needs, then forks one on each request.

It may not: hold a secret, an event loop, a TLS context or a second thread; read any descriptor that it
passes on; live longer than the daemon. What it forks lives on without it.

Started as ``python -P -m bot_bottle.controller.zygote MODULE:FUNCTION`` with its socket as descriptor 3.
The function gets ``(spec, descriptors, report)`` in the forked child, ends its report with the line
``pid N`` (N: the process that is the sidecar) or with a reason, and never returns.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from bot_bottle.base import linux
from bot_bottle.controller.messages import Fork, Forked, ForkFailed, Preloaded
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import SIDECAR_FDS, SidecarSpec

SOCKET_FD = 3

REPORT_TIMEOUT_S = 5.0
"""A fork and four unshares take milliseconds; a child that does not report by then is killed."""

MAX_REPORT_BYTES = 4096

Entry = Callable[[SidecarSpec, tuple[int, ...], int], NoReturn]


class Zygote:
    """The loop: one request, one fork, one answer; ends when the daemon's end of the socket closes."""

    def __init__(self, sock: socket.socket, entry: Entry) -> None:
        self._sock = sock
        self._entry = entry
        self._children: dict[int, int] = {}
        """pidfd to pid of every living child"""

    def serve(self) -> None:
        wire.send(self._sock, Preloaded())
        while True:
            poller = select.poll()
            poller.register(self._sock, select.POLLIN)
            for pidfd in self._children:
                poller.register(pidfd, select.POLLIN)
            for fd, _ in poller.poll():
                if fd in self._children:
                    os.waitpid(self._children.pop(fd), os.WNOHANG)
                    os.close(fd)
                elif not self._answer():
                    return

    def _answer(self) -> bool:
        try:
            request, fds = wire.receive(self._sock, Fork)
        except wire.WireError as error:
            if error.closed:
                return False
            raise
        pidfd = -1
        try:
            if len(fds) != len(SIDECAR_FDS):
                raise _ForkFailure(f"{len(fds)} descriptors came with the request")
            pid = self._fork(request.spec, tuple(fds))
            pidfd = os.pidfd_open(pid)
            wire.send(self._sock, Forked(pid), (pidfd,))
        except _ForkFailure as error:
            wire.send(self._sock, ForkFailed(str(error)))
        else:
            self._children[pidfd] = pid
        finally:
            wire.close_all(fds)
        return True

    def _fork(self, spec: SidecarSpec, fds: tuple[int, ...]) -> int:
        """Fork the child that makes the sidecar, and take its report; it is gone when this returns.

        The sidecar is the child's child: as subreaper we inherit it, and its number can't be reused before
        we wait for it.
        """
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            maker = os.fork()
        except OSError as error:
            os.close(reading)
            os.close(writing)
            raise _ForkFailure(f"fork: {error.strerror}") from error
        if maker == 0:
            self._become(spec, fds, writing)
        os.close(writing)
        try:
            report = _read_report(reading)
        finally:
            os.close(reading)
            os.kill(maker, signal.SIGKILL)  # has reported, or never will
            os.waitpid(maker, 0)
        return _reported_pid(report, maker)

    def _become(self, spec: SidecarSpec, fds: tuple[int, ...], report: int) -> NoReturn:
        """In the child: a session of its own, its own descriptors, and off."""
        try:
            os.setsid()
            linux.set_parent_death_signal(signal.SIGKILL)  # this one; the sidecar, its child, has none
            linux.close_all_except({0, 1, 2, *fds, report})
            self._entry(spec, fds, report)
        except BaseException as error:
            os.write(report, f"{type(error).__name__}: {error}".replace("\n", " ").encode()[:1024])
        finally:
            os._exit(70)


class _ForkFailure(Exception):
    """Becomes :class:`ForkFailed`."""


def _reported_pid(report: bytes, group: int) -> int:
    """The process that *report* names; where it names none, nothing of *group* is left running."""
    last = report.decode("utf-8", "replace").strip().rpartition("\n")[2]
    word, _, number = last.partition(" ")
    if word == "pid" and number.isascii() and number.isdigit():
        return int(number)
    try:
        os.killpg(group, signal.SIGKILL)
        while True:
            os.waitpid(-group, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    raise _ForkFailure(last or "the sidecar's process ended before it was made")


def _read_report(fd: int) -> bytes:
    deadline = time.monotonic() + REPORT_TIMEOUT_S
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    report = b""
    while len(report) < MAX_REPORT_BYTES:
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return b"the sidecar's process did not report in time"
        chunk = os.read(fd, MAX_REPORT_BYTES)
        if not chunk:
            break
        report += chunk
    return report


def run(entry: Entry, sock: socket.socket, daemon_pid: int) -> None:
    """Serve until the daemon is gone."""
    linux.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != daemon_pid:
        return
    linux.set_child_subreaper(True)
    gc.collect()
    gc.freeze()  # so that a collection in a child copies no page of ours
    try:
        Zygote(sock, entry).serve()
    except wire.WireError as error:
        if not error.closed:
            raise
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise


def main(argv: list[str]) -> None:
    daemon_pid = os.getppid()
    os.environ.clear()
    gc.disable()
    name, _, function = argv[1].partition(":")
    module = importlib.import_module(name)
    entry: Entry = getattr(module, function)
    if argv[2:]:
        module.prepare(*argv[2:])
    gc.enable()
    run(entry, socket.socket(fileno=SOCKET_FD), daemon_pid)


if __name__ == "__main__":
    main(sys.argv)
