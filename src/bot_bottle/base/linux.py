"""System calls of Linux that Python's ``os`` lacks before 3.12: namespaces, mounts, capabilities, filters.

A leaf over ctypes and /proc. Nothing here decides what is confined: callers say it, and each call either
does what it says or raises :class:`OSError` naming what was attempted. Nothing is silently skipped.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Collection

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SLAVE = 0x80000

MNT_DETACH = 0x2

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2

_LINUX_CAPABILITY_VERSION_3 = 0x20080522
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1

_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE_PARENT = 0x00008000
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442  # one number on every architecture that has it (Linux 5.12)
_RENAMEAT2 = {"x86_64": 316, "aarch64": 276}
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_CLOSE_RANGE = 436  # one number on every architecture that has it (Linux 5.9)

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12
_NLMSG_ERROR = 2
_NETLINK_TIMEOUT_S = 5.0
"""The kernel answers within the send itself: what takes this long is lost."""

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, attempt: str) -> int:
    """*result* of a libc call, or OSError with errno's text and what was attempted."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{attempt}: {os.strerror(number)}")
    return result


def _text(path: str | os.PathLike[str] | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


# -- namespaces and mounts
def unshare(flags: int) -> None:
    """Leave the namespaces of *flags* (CLONE_NEW*) for new ones; see unshare(2)."""
    _checked(_libc.unshare(ctypes.c_int(flags)), f"unshare({flags:#x})")


def setns(fd: int, flags: int = 0) -> None:
    """Enter the namespace (or, for a pidfd, the namespaces of *flags*) behind *fd*; see setns(2)."""
    _checked(_libc.setns(ctypes.c_int(fd), ctypes.c_int(flags)), f"setns({fd}, {flags:#x})")


def mount(
    source: str | os.PathLike[str] | None,
    target: str | os.PathLike[str],
    fstype: str | None = None,
    flags: int = 0,
    data: str | None = None,
) -> None:
    """mount(2). *data* is the file system's own option text."""
    options = None if data is None else os.fsencode(data)
    result = _libc.mount(_text(source), _text(target), _text(fstype), ctypes.c_ulong(flags), options)
    _checked(result, f"mount of {fstype or 'bind'} {str(source)!r} at {str(target)!r}")


def restrict_mounts(target: str | os.PathLike[str], attributes: int) -> None:
    """Set *attributes* (MOUNT_ATTR_*) on the mount at *target* and on every mount below it; see
    mount_setattr(2). A bind mount's own remount reaches the topmost one only."""
    request = struct.pack("4Q", attributes, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR), ctypes.c_int(_AT_FDCWD), _text(target), ctypes.c_uint(_AT_RECURSIVE),
        request, ctypes.c_size_t(len(request)),
    )  # fmt: skip
    _checked(result, f"restricting the mounts at {str(target)!r}")


def umount(target: str | os.PathLike[str], flags: int = 0) -> None:
    """umount2(2)."""
    _checked(_libc.umount2(_text(target), ctypes.c_int(flags)), f"umount of {str(target)!r}")


def pivot_root(new_root: str | os.PathLike[str], put_old: str | os.PathLike[str]) -> None:
    """pivot_root(2); ``(".", ".")`` stacks the old root over the new one, to be unmounted."""
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(38, f"pivot_root is not known for {os.uname().machine}")
    result = _libc.syscall(ctypes.c_long(number), _text(new_root), _text(put_old))
    _checked(result, f"pivot_root to {str(new_root)!r}")


def fork_sibling() -> int:
    """fork(2), but the new process is a child of *our parent*; in a PID namespace that we have unshared it
    is the first one. Only for a single-threaded process that soon executes a program: Python is not told.
    """
    number = _CLONE.get(os.uname().machine)
    if number is None:
        raise OSError(38, f"clone is not known for {os.uname().machine}")
    arguments = [ctypes.c_ulong(value) for value in (_CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)]
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), "cloning a sibling")


def map_ids(inside_uid: int, outside_uid: int, inside_gid: int, outside_gid: int) -> None:
    """Give the calling process's new user namespace its one uid and one gid; setgroups is denied for good.

    *outside* ids must be the caller's effective ones before the unshare (user_namespaces(7)).
    """
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside_uid} {outside_uid} 1\n"),
        ("gid_map", f"{inside_gid} {outside_gid} 1\n"),
    ):
        try:
            with open(f"/proc/self/{name}", "wb", buffering=0) as file:
                file.write(line.encode())
        except OSError as error:
            raise OSError(
                error.errno, f"write of {line.strip()!r} to /proc/self/{name}: {error.strerror}"
            ) from error


def bring_up_loopback() -> None:
    """Set ``lo`` of the calling process's network namespace up (needs CAP_NET_ADMIN in it)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
            flags = struct.unpack("16sh22x", answer)[1]
            fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))
        except OSError as error:
            raise OSError(error.errno, f"setting lo up: {error.strerror}") from error


def netlink(protocol: int, messages: bytes, attempt: str) -> None:
    """Send *messages* (one packet, netlink(7)) and take one acknowledgement for each that asks for it; raises
    the OSError of the first that failed, with *attempt*."""
    flags, at = [], 0
    while at < len(messages):
        size, _, asks = struct.unpack_from("IHH", messages, at)
        flags.append(asks)
        at += (size + 3) & ~3
    left = sum(bool(asks & 0x4) for asks in flags)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as sock:
        sock.settimeout(_NETLINK_TIMEOUT_S)
        try:
            sock.sendto(messages, (0, 0))
            while left > 0:
                left -= _acknowledged(sock.recv(1 << 16))
        except OSError as error:
            raise OSError(error.errno, f"{attempt}: {error.strerror or error}") from error


def _acknowledged(packet: bytes) -> int:
    """How many messages *packet* acknowledges; OSError where one of them failed."""
    count = at = 0
    while at + 20 <= len(packet):
        size, kind = struct.unpack_from("IH", packet, at)
        if kind == _NLMSG_ERROR:
            (number,) = struct.unpack_from("i", packet, at + 16)
            if number:
                raise OSError(-number, os.strerror(-number))
            count += 1
        at += max((size + 3) & ~3, 16)
    return count


# -- what a process may do and who may look at it
def _prctl(attempt: str, option: int, *arguments: int) -> int:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(ctypes.c_int(option), *values), attempt)


def set_no_new_privs() -> None:
    """No exec of ours or of a descendant gains a privilege any more; can't be undone."""
    _prctl("prctl(no_new_privs)", _PR_SET_NO_NEW_PRIVS, 1)


def set_dumpable(dumpable: bool) -> None:
    """Not dumpable: no core, no ptrace, and /proc/self belongs to root. An exec or uid change resets it."""
    _prctl("prctl(dumpable)", _PR_SET_DUMPABLE, int(dumpable))


def set_parent_death_signal(number: int) -> None:
    """Get signal *number* when the *thread* that forked us ends. A uid change clears it: set it after.

    Check ``os.getppid()`` afterwards: a parent that died before is not noticed.
    """
    _prctl("prctl(parent death signal)", _PR_SET_PDEATHSIG, number)


def set_child_subreaper(reaper: bool) -> None:
    """Orphaned descendants become our children."""
    _prctl("prctl(child subreaper)", _PR_SET_CHILD_SUBREAPER, int(reaper))


def drop_bounding_capabilities() -> None:
    """Empty the bounding set; needs CAP_SETPCAP unless it is empty already."""
    for capability in range(64):
        try:
            if not _prctl("read", _PR_CAPBSET_READ, capability):
                continue
        except OSError:
            return  # EINVAL: past the kernel's last capability
        _prctl(f"dropping capability {capability} from the bounding set", _PR_CAPBSET_DROP, capability)


def drop_all_capabilities() -> None:
    """Empty the bounding, ambient, inheritable, permitted and effective sets of the calling thread."""
    drop_bounding_capabilities()
    _prctl("clearing the ambient capabilities", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("Ii", _LINUX_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, bytes(24)), "dropping all capabilities")


def load_seccomp(program: bytes) -> None:
    """Put the BPF *program* (``base.seccomp.program``) over the calling thread; needs no_new_privs."""
    code = ctypes.create_string_buffer(program, len(program))

    class _Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    fprog = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    _prctl("loading the seccomp filter", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(fprog))


# -- files
def exchange(path: str | os.PathLike[str], other: str | os.PathLike[str]) -> None:
    """Swap the two names in one step (renameat2(2), RENAME_EXCHANGE); both exist, on one file system that can."""
    number = _RENAMEAT2.get(os.uname().machine)
    if number is None:
        raise OSError(38, f"renameat2 is not known for {os.uname().machine}")
    result = _libc.syscall(
        ctypes.c_long(number), ctypes.c_int(_AT_FDCWD), _text(path), ctypes.c_int(_AT_FDCWD), _text(other),
        ctypes.c_uint(_RENAME_EXCHANGE),
    )  # fmt: skip
    _checked(result, f"exchanging {str(path)!r} and {str(other)!r}")


# -- descriptors
def close_all_except(keep: Collection[int]) -> None:
    """Close every descriptor of the process that is not in *keep* (close_range(2), Linux 5.9)."""
    start = 0
    for fd in sorted({fd for fd in keep if fd >= 0}):
        if fd > start:
            _close_range(start, fd - 1)
        start = fd + 1
    _close_range(start, 0xFFFFFFFF)


def _close_range(first: int, last: int) -> None:
    result = _libc.syscall(
        ctypes.c_long(_CLOSE_RANGE), ctypes.c_uint(first), ctypes.c_uint(last), ctypes.c_uint(0)
    )
    _checked(result, f"closing descriptors {first} to {last}")
