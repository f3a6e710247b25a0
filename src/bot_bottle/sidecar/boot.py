"""From a bare fork to a confined process that runs one kind of sidecar; called in a forked child.

Two processes: the *maker* leaves the namespaces, forks the sidecar, reports its number and ends; the sidecar
is the first process of its pid namespace, so that killing it kills all of it. No secret is read before the
confinement is complete. A sidecar that can't be confined says why on its control socket and ends.
"""

from __future__ import annotations

import os
import signal
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from bot_bottle.base.seccomp import Profile
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import Refused, SidecarSpec
from bot_bottle.sidecar import confine, view


@dataclass(frozen=True)
class Descriptors:
    """What a sidecar starts with, in the order of ``ipc.sidecar.SIDECAR_FDS``; it has nothing else."""

    listener: int
    control: int
    link: int
    secrets: int
    log: int


@dataclass(frozen=True)
class Kind:
    """One kind of process beside a bottle."""

    name: str
    """its name in ``ps``"""
    run: Callable[[SidecarSpec, Descriptors], int]
    """the whole of its work; returns the exit status"""
    network: bool
    """whether it keeps the host's network namespace"""
    limits: confine.Limits
    profile: Profile = Profile.SIDECAR
    sees: Callable[[SidecarSpec], view.Extra] = view.of_proxy
    """what this kind alone sees"""


def become(kind: Kind, spec: SidecarSpec, fds: tuple[int, ...], report: int) -> NoReturn:
    """Make a sidecar of *kind* out of the calling process's child; the caller ends.

    The contract of ``controller.zygote``: *report* gets ``pid N``, or an exception says why not.
    """
    descriptors = Descriptors(*fds)
    confine.enter_namespaces(spec.uid, network=kind.network)
    pid = os.fork()
    if pid == 0:
        os.close(report)
        _live(kind, spec, descriptors)
    os.write(report, f"pid {pid}\n".encode())
    os._exit(0)


def _live(kind: Kind, spec: SidecarSpec, fds: Descriptors) -> NoReturn:
    status = 70
    try:
        os.dup2(fds.log, 2)  # what the interpreter itself says at a crash
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if _confine(kind, spec, fds):
            status = kind.run(spec, fds)
    except BaseException as error:
        # frames and the type alone: an exception's text may quote what it stumbled over
        frames = "".join(traceback.format_tb(error.__traceback__))
        os.write(2, f"sidecar ended by {type(error).__name__}\n{frames}".encode("utf-8", "replace"))
    finally:
        os._exit(status)


def _confine(kind: Kind, spec: SidecarSpec, fds: Descriptors) -> bool:
    uid = os.geteuid() if spec.uid is None else spec.uid
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as name:
            name.write(kind.name[:15])
        view.build(spec, uid, kind.sees(spec))
        _no_standard_streams()
        confine.give_up_rights(spec.uid, kind.profile, kind.limits)
    except Exception as error:
        _refuse(fds.control, f"the sidecar can't be confined: {error}")
        return False
    return True


def _refuse(control: int, reason: str) -> None:
    with socket.socket(fileno=os.dup(control)) as sock:
        try:
            wire.send(sock, Refused(reason))
        except wire.WireError:
            pass


def _no_standard_streams() -> None:
    """Nothing to read, nothing to print to; opened in the view, so that no descriptor leads out of it."""
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
