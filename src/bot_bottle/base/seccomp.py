"""The system-call filters: classic BPF made in pure Python, for x86_64 and aarch64 (ruling 45).

A deny list over what namespaces and dropped capabilities already withhold: it takes away kernel surface
(``io_uring``, ``bpf``, ``userfaultfd``), the ways into other processes (``ptrace``, ``pidfd_getfd``), the
ways to new namespaces and mounts, and every address family that leads elsewhere. Foreign ABIs are killed,
since their numbers mean other calls. A call newer than this table answers ENOSYS: nobody has looked at it.

``seccomp`` itself stays open in a bottle: a further filter can only narrow (the strictest verdict wins,
ours is never replaced), and browsers and JavaScript runtimes sandbox their workers with it.
Sources: seccomp(2), the kernel's syscall tables, Docker's and OpenShell's default profiles.
"""

from __future__ import annotations

import enum
import errno
import struct
from typing import NamedTuple

MAX_INSTRUCTIONS = 4096
"""BPF_MAXINSNS: the kernel takes no longer program."""

_LD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JEQ = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JGE = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_JSET = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_RET = 0x06  # BPF_RET | BPF_K

_KILL = 0x80000000  # SECCOMP_RET_KILL_PROCESS
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000

_X32_BIT = 0x40000000
_NEWEST_KNOWN = 469
"""file_setattr, Linux 6.17: the last call that this table was made with. Numbers from 424 on are the same
everywhere."""

_NAMESPACE_FLAGS = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET"""
_CLONE_NEWTIME = 0x80  # unshare only: in clone these bits are the exit signal
_CLONE_THREAD = 0x00010000

_TIOCSTI = 0x5412
_TIOCLINUX = 0x541C
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NETLINK_ROUTE = 0
_SOCK_STREAM, _SOCK_SEQPACKET, _SOCK_TYPE_MASK = 1, 5, 0xF


class Profile(enum.Enum):
    """For whom a filter is."""

    BOTTLE = "bottle"
    """every program of a bottle"""
    SIDECAR = "sidecar"
    """a process that serves requests: no program is ever started, no process made (threads are), no
    further filter loaded, no Unix socket that could be connected"""
    GATE = "gate"
    """a sidecar that runs programs, each in a sandbox of its own (bubblewrap) that loads BOTTLE's filter as
    well: it makes processes, namespaces and the mounts in them, and no Unix socket that could be connected"""


class _Arch(NamedTuple):
    audit: int
    """AUDIT_ARCH_*"""
    x32: bool
    argument: dict[str, int]
    """calls whose arguments are looked at"""
    denied: dict[str, int]
    no_processes: dict[str, int]
    """calls that a sidecar without programs may not make"""


# fmt: off
_COMMON_DENIED = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "open_tree_attr": 467,
}
_CLONE3 = 435

_ARCHES = {
    "x86_64": _Arch(
        audit=0xC000003E,
        x32=True,
        argument={
            "clone": 56, "unshare": 272, "ioctl": 16, "socket": 41, "socketpair": 53, "personality": 135,
        },
        denied={
            "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
            "add_key": 248, "request_key": 249, "keyctl": 250,
            "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "fanotify_init": 300,
            "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "setns": 308,
            "kexec_load": 246, "kexec_file_load": 320, "reboot": 169,
            "create_module": 174, "init_module": 175, "delete_module": 176, "get_kernel_syms": 177,
            "query_module": 178, "finit_module": 313,
            "open_by_handle_at": 304, "name_to_handle_at": 303, "lookup_dcookie": 212,
            "swapon": 167, "swapoff": 168, "sethostname": 170, "setdomainname": 171,
            "iopl": 172, "ioperm": 173, "acct": 163, "quotactl": 179, "nfsservctl": 180, "syslog": 103,
            "settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305, "vhangup": 153,
            "uselib": 134, "_sysctl": 156, "modify_ldt": 154, "ustat": 136, "sysfs": 139,
            "move_pages": 279, "migrate_pages": 256,
        },
        no_processes={"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "seccomp": 317},
    ),
    "aarch64": _Arch(
        audit=0xC00000B7,
        x32=False,
        argument={
            "clone": 220, "unshare": 97, "ioctl": 29, "socket": 198, "socketpair": 199, "personality": 92,
        },
        denied={
            "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
            "add_key": 217, "request_key": 218, "keyctl": 219,
            "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "fanotify_init": 262,
            "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "setns": 268,
            "kexec_load": 104, "kexec_file_load": 294, "reboot": 142,
            "init_module": 105, "delete_module": 106, "finit_module": 273,
            "open_by_handle_at": 265, "name_to_handle_at": 264, "lookup_dcookie": 18,
            "swapon": 224, "swapoff": 225, "sethostname": 161, "setdomainname": 162,
            "acct": 89, "quotactl": 60, "nfsservctl": 42, "syslog": 116,
            "settimeofday": 170, "clock_settime": 112, "clock_adjtime": 266, "vhangup": 58,
            "move_pages": 239, "migrate_pages": 238,
        },
        no_processes={"execve": 221, "execveat": 281, "seccomp": 277},
    ),
}
# fmt: on

_FOR_A_SANDBOX = frozenset({"mount", "umount2", "pivot_root", "sethostname"})
"""What bubblewrap needs, in namespaces of its own (its sources, 0.8 to 0.11: neither chroot nor setns as we call
it, nor the newer calls for mounts)."""


class _Instruction(NamedTuple):
    code: int
    jump_true: int
    jump_false: int
    value: int


def _return(action: int) -> _Instruction:
    return _Instruction(_RET, 0, 0, action)


def _refuse(number: int) -> _Instruction:
    return _return(_ERRNO | number)


def _argument(index: int) -> _Instruction:
    """Load the low half of argument *index*. Every argument looked at is an ``int`` or has its flags there;
    the kernel ignores the high half of those, so a filter that compared it could be stepped around."""
    return _Instruction(_LD_WORD, 0, 0, 16 + 8 * index)


def _on_call(number: int, body: list[_Instruction]) -> list[_Instruction]:
    """*body* (ends with a return on every path) for the call *number*; falls through for others."""
    return [_Instruction(_JEQ, 0, len(body), number), *body]


def _none_of(bits: int, otherwise: int) -> list[_Instruction]:
    """Allow unless the loaded word has one of *bits*."""
    return [_Instruction(_JSET, 0, 1, bits), _refuse(otherwise), _return(_ALLOW)]


def _families(allowed: list[int]) -> list[_Instruction]:
    """Let sockets of the families *allowed* be made, and route netlink ones (getaddrinfo asks there)."""
    out = [_argument(0)]
    for index, family in enumerate(allowed):
        out.append(_Instruction(_JEQ, len(allowed) - index + 3, 0, family))
    return [
        *out,
        _Instruction(_JEQ, 0, 2, _AF_NETLINK),
        _argument(2),
        _Instruction(_JEQ, 1, 0, _NETLINK_ROUTE),
        _refuse(errno.EAFNOSUPPORT),
        _return(_ALLOW),
    ]


def _connected_pair() -> list[_Instruction]:
    """A sidecar shares the host's network namespace, and with it every abstract Unix socket: it makes no
    Unix socket that can be connected. A stream or packet pair is connected for good (unix(7)); a datagram
    one can be connected anew, and SOCK_RAW means datagram there."""
    return [
        _argument(0),
        _Instruction(_JEQ, 0, 4, _AF_UNIX),
        _argument(1),
        _Instruction(_AND, 0, 0, _SOCK_TYPE_MASK),
        _Instruction(_JEQ, 2, 0, _SOCK_STREAM),
        _Instruction(_JEQ, 1, 0, _SOCK_SEQPACKET),
        _refuse(errno.EAFNOSUPPORT),
        _return(_ALLOW),
    ]


def _argument_checks(calls: dict[str, int], profile: Profile) -> list[_Instruction]:
    out: list[_Instruction] = []
    clone = [_argument(0)]
    if profile is Profile.SIDECAR:
        clone += [_Instruction(_JSET, 1, 0, _CLONE_THREAD), _refuse(errno.EPERM)]
    namespaces = 0 if profile is Profile.GATE else _NAMESPACE_FLAGS
    if namespaces:
        out += _on_call(calls["clone"], [*clone, *_none_of(namespaces, errno.EPERM)])
    out += _on_call(calls["unshare"], [_argument(0), *_none_of(namespaces | _CLONE_NEWTIME, errno.EPERM)])
    out += _on_call(
        calls["ioctl"],
        [
            _argument(1),
            _Instruction(_JEQ, 1, 0, _TIOCSTI),
            _Instruction(_JEQ, 0, 1, _TIOCLINUX),
            _refuse(errno.EPERM),
            _return(_ALLOW),
        ],
    )
    of_a_bottle = profile is Profile.BOTTLE
    families = [_AF_UNIX, _AF_INET, _AF_INET6] if of_a_bottle else [_AF_INET, _AF_INET6]
    out += _on_call(calls["socket"], _families(families))
    pair = _families(families) if of_a_bottle else _connected_pair()
    out += _on_call(calls["socketpair"], pair)
    out += _on_call(
        calls["personality"],
        [
            _argument(0),
            _Instruction(_JEQ, 2, 0, 0),
            _Instruction(_JEQ, 1, 0, 0xFFFFFFFF),  # asks which one is in force
            _refuse(errno.EPERM),
            _return(_ALLOW),
        ],
    )
    return out


def program(arch: str, profile: Profile) -> bytes:
    """The filter for *arch* (``platform.machine()``) and *profile*, as an array of ``struct sock_filter``.

    Raises :class:`ValueError` for an architecture without a table: there is no bottle without a filter.
    """
    table = _ARCHES.get(arch)
    if table is None:
        raise ValueError(f"no system-call table for {arch!r}: use one of {', '.join(sorted(_ARCHES))}")
    denied = {**table.denied, **_COMMON_DENIED}
    if profile is Profile.SIDECAR:
        denied |= table.no_processes
    if profile is Profile.GATE:
        denied = {name: number for name, number in denied.items() if name not in _FOR_A_SANDBOX}
    code = [
        _Instruction(_LD_WORD, 0, 0, 4),
        _Instruction(_JEQ, 1, 0, table.audit),
        _return(_KILL),
        _Instruction(_LD_WORD, 0, 0, 0),
    ]
    if table.x32:
        code += [_Instruction(_JGE, 0, 1, _X32_BIT), _return(_KILL)]
    code += [_Instruction(_JGE, 0, 1, _NEWEST_KNOWN + 1), _refuse(errno.ENOSYS)]
    code += _on_call(_CLONE3, [_refuse(errno.ENOSYS)])  # its flags lie in memory; threads fall back to clone
    for number in sorted(denied.values()):
        code += _on_call(number, [_refuse(errno.EPERM)])
    code += _argument_checks(table.argument, profile)
    code.append(_return(_ALLOW))
    if len(code) > MAX_INSTRUCTIONS:
        raise ValueError(f"the filter has {len(code)} instructions, more than {MAX_INSTRUCTIONS}")
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
