"""Steps that take a forked process's rights away, for good: namespaces, identity, capabilities, system calls.

Order matters: namespaces before the last fork (a process can't move itself into a new pid namespace), the
view while there are rights to mount, then identity, capabilities, and the filter last. Every step raises
OSError when it can't be done; a sidecar that is not confined is not run.
"""

from __future__ import annotations

import os
import platform
import resource
import socket
from dataclasses import dataclass

from bot_bottle.base import linux, seccomp


@dataclass(frozen=True)
class Limits:
    """What a kind of sidecar may take of the host, at most."""

    file_bytes: int
    """of one file"""
    open_files: int
    """of one process"""
    processes: int | None = None
    """and threads, in all; None: its filter lets it make none"""


FILTERS = {profile: seccomp.program(platform.machine(), profile) for profile in seccomp.Profile}
"""Made before any fork."""

_NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS


class NotConfinable(OSError):
    """The identity that was asked for can't be taken on here."""


def enter_namespaces(uid: int | None, *, network: bool) -> None:
    """Leave the host's namespaces; the next child is the first process of the new pid namespace.

    *uid*: whom root will change to; None for a user, who gets a user namespace that knows only itself.
    """
    flags = _NAMESPACES if network else _NAMESPACES | linux.CLONE_NEWNET
    effective = os.geteuid()
    if effective == 0:
        if not uid:
            raise NotConfinable(1, "a sidecar of root's needs a uid of its own to change to")
        linux.unshare(flags)
        return
    if uid is not None and uid != effective:
        raise NotConfinable(1, f"uid {effective} can't change to uid {uid}")
    gid = os.getegid()
    linux.unshare(flags | linux.CLONE_NEWUSER)
    linux.map_ids(effective, effective, gid, gid)


def give_up_rights(uid: int | None, profile: seccomp.Profile, limits: Limits) -> None:
    """To be called in the finished view; afterwards nothing can be undone or looked into, and nothing started
    but what *profile* lets."""
    socket.sethostname("sidecar")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    if limits.processes is not None:
        _lower(resource.RLIMIT_NPROC, limits.processes)
    os.umask(0o077)
    linux.drop_bounding_capabilities()
    if uid is not None and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    linux.drop_all_capabilities()
    linux.set_no_new_privs()
    linux.set_dumpable(False)
    linux.load_seccomp(FILTERS[profile])


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(hard, value)
    resource.setrlimit(limit, (value, value))
