"""Attempts on the kernel and on the host's processes. Nothing is written, and nothing is harmed but processes
that the harness started to be harmed."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import pty
import signal
import socket
import termios
import time
from collections.abc import Callable

from .attempt import FAILED, STOPPED, THROUGH, Report, Scene, attempt, first_through, in_child, name_of

_NEWNS, _NEWUSER, _NEWNET = 0x00020000, 0x10000000, 0x40000000
_PTRACE_ATTACH, _PTRACE_DETACH = 16, 17
_IO_URING_SETUP = 425
_ADD_KEY = {"x86_64": 248, "aarch64": 217}
_PROCESS_KEYRING = -2

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: str, *arguments: object) -> int:
    result = int(getattr(_libc, function)(*arguments))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _try_namespaces(flags: int) -> None:
    """The privileges of a fresh user namespace, where one can be made."""
    try:
        _call("unshare", _NEWUSER | flags)
    except OSError:
        pass


@attempt("host-processes")
def host_processes(scene: Scene) -> Report:
    """See a process of the host's by its arguments."""
    found, count = [], 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            count += 1
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if scene["victim"]["marker"].encode() in file.read():
                        found.append(["process", scene["victim"]["marker"]])
            except OSError:
                continue
    return Report(THROUGH if found else STOPPED, f"{count} processes in view, none of the host's", found)


@attempt("signal")
def send_signal(scene: Scene) -> Report:
    """Kill a process of the host's."""
    pid = scene["victim"]["pid"]
    if scene.inside and os.path.exists(f"/proc/{pid}"):  # the number is one of ours here
        return Report(STOPPED, "another process has that number here")
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.1)
    return Report(THROUGH, "signalled")


@attempt("ptrace")
def ptrace(scene: Scene) -> Report:
    """Into another process: inside the one that all others come from, outside one of the harness's."""
    pid = 1 if scene.inside else scene["victim"]["pid"]

    def attach() -> str:
        _call("ptrace", _PTRACE_ATTACH, pid, None, None)
        os.waitpid(pid, 0x40000000)  # __WALL
        _call("ptrace", _PTRACE_DETACH, pid, None, None)
        return "attached"

    def memory() -> str:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
        return "memory opened for writing"

    return first_through([lambda: in_child(attach), lambda: in_child(memory)])


@attempt("namespaces")
def namespaces(_scene: Scene) -> Report:
    def mount() -> str:
        _call("unshare", _NEWUSER | _NEWNS)
        _call("mount", b"none", b"/proc", b"tmpfs", 0, None)
        return "mounted"

    return in_child(mount)


@attempt("sysctl")
def sysctl(_scene: Scene) -> Report:
    """Open a kernel setting for writing; it is closed again at once."""

    def open_one(path: str) -> Callable[[], str]:
        def action() -> str:
            _try_namespaces(_NEWNET)
            os.close(os.open(path, os.O_WRONLY))
            return f"opened {path}"

        return action

    paths = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger")
    return first_through([lambda path=path: in_child(open_one(path)) for path in paths])  # type: ignore[misc]


@attempt("raw-sockets")
def raw_sockets(_scene: Scene) -> Report:
    def packet() -> str:
        _try_namespaces(_NEWNET)
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
        return "packet socket"

    def icmp() -> str:
        _try_namespaces(_NEWNET)
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
        return "raw socket"

    return first_through([lambda: in_child(packet), lambda: in_child(icmp)])


@attempt("io-uring")
def io_uring(_scene: Scene) -> Report:
    """Calls that a filter of system calls does not see."""

    def setup() -> str:
        return f"ring {_call('syscall', _IO_URING_SETUP, 1, ctypes.create_string_buffer(120))}"

    return in_child(setup)


@attempt("keyring")
def keyring(_scene: Scene) -> Report:
    def add() -> str:
        number = _ADD_KEY[platform.machine()]
        _call("syscall", number, b"user", b"try", b"x", ctypes.c_size_t(1), _PROCESS_KEYRING)
        return "added"

    return in_child(add)


@attempt("terminal")
def terminal(_scene: Scene) -> Report:
    """Type into the terminal, as the person at it."""

    def type_in() -> str:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.setsid()
        _, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        fcntl.ioctl(slave, termios.TIOCSTI, b"x")
        return "typed"

    return in_child(type_in)


@attempt("persistence")
def persistence(scene: Scene) -> Report:
    """Leave a program where the host would run it."""
    refusals, written = [], []
    for directory in scene["drops"]:
        try:
            os.makedirs(directory, exist_ok=True)
            with open(os.path.join(directory, scene.token), "x", encoding="ascii") as file:
                file.write("#!/bin/sh\n")
            written.append(directory)
        except OSError as error:
            refusals.append(name_of(error))
    if scene.inside:
        where = f"{len(written)} in the bottle's own layer" if written else "none written"
        return Report(STOPPED, f"{', '.join(sorted(set(refusals)))}; {where}")
    return Report(THROUGH, f"{len(written)} written")


@attempt("processes-limit")
def processes_limit(scene: Scene) -> Report:
    """More processes than the bottle may have; each waits and ends with us."""
    reading, writing = os.pipe()
    children: list[int] = []
    refusal = ""
    try:
        while len(children) < scene["forks"]:
            try:
                pid = os.fork()
            except OSError as error:
                refusal = name_of(error)
                break
            if pid == 0:
                os.close(writing)
                os.read(reading, 1)
                os._exit(0)
            children.append(pid)
    finally:
        os.close(writing)
        for pid in children:
            os.waitpid(pid, 0)
        os.close(reading)
    if not children:
        return Report(FAILED, f"not one started: {refusal}")
    if refusal:
        return Report(STOPPED, f"{refusal} after {len(children)}")
    return Report(THROUGH, f"{len(children)} started")
