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

from bot_bottle.base import linux, seccomp

MAX_FILE_BYTES = 256 * 1024 * 1024
"""Its log bounds itself far below this; a sidecar that was taken over can't fill the disk by it."""

MAX_OPEN_FILES = 32_768
"""10,240 idle and 512 active connections with two sockets each (ruling 67), and room."""

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


def give_up_rights(uid: int | None, profile: seccomp.Profile) -> None:
    """To be called in the finished view; afterwards nothing can be undone, started or looked into."""
    socket.sethostname("sidecar")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
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
