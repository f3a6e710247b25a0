"""Each call that a filter refuses is tried in a child that has loaded it; what programs need still works."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import threading
from collections.abc import Callable

import pytest

from bot_bottle.base import linux
from bot_bottle.base.seccomp import MAX_INSTRUCTIONS, Profile, program

ARCH = platform.machine()
_libc = ctypes.CDLL(None, use_errno=True)

NUMBERS = {
    "x86_64": {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438, "kcmp": 312,
        "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "perf_event_open": 298,
        "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
        "mount": 165, "umount2": 166, "pivot_root": 155, "open_tree": 428, "move_mount": 429, "fsopen": 430,
        "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "setns": 308, "chroot": 161,
        "kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313,
        "delete_module": 176, "open_by_handle_at": 304, "reboot": 169, "swapon": 167, "sethostname": 170,
        "iopl": 172, "ioperm": 173, "modify_ldt": 154, "syslog": 103, "clock_settime": 227,
    },
    "aarch64": {
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_getfd": 438, "kcmp": 272,
        "add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280, "perf_event_open": 241,
        "userfaultfd": 282, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
        "mount": 40, "umount2": 39, "pivot_root": 41, "open_tree": 428, "move_mount": 429, "fsopen": 430,
        "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "setns": 268, "chroot": 51,
        "kexec_load": 104, "kexec_file_load": 294, "init_module": 105, "finit_module": 273,
        "delete_module": 106, "open_by_handle_at": 265, "reboot": 142, "swapon": 224, "sethostname": 161,
        "syslog": 116, "clock_settime": 112,
    },
}[ARCH]  # fmt: skip
CLONE = {"x86_64": 56, "aarch64": 220}[ARCH]
UNSHARE = {"x86_64": 272, "aarch64": 97}[ARCH]
IOCTL = {"x86_64": 16, "aarch64": 29}[ARCH]
SOCKET = {"x86_64": 41, "aarch64": 198}[ARCH]
SOCKETPAIR = {"x86_64": 53, "aarch64": 199}[ARCH]
PERSONALITY = {"x86_64": 135, "aarch64": 92}[ARCH]
TIOCSTI, TIOCLINUX, FIONREAD = 0x5412, 0x541C, 0x541B
HIGH = 1 << 32
"""a bit that the kernel ignores in an int: a filter must not be stepped around with it"""


def call(number: int, *arguments: int) -> int:
    """errno of the system call, 0 when it succeeded. With bad arguments nothing is changed if it is let
    through: the errno then is another one."""
    ctypes.set_errno(0)
    values = [ctypes.c_ulong(value) for value in (*arguments, *[0] * 6)[:6]]
    return ctypes.get_errno() if _libc.syscall(ctypes.c_long(number), *values) == -1 else 0


def filtered(profile: Profile, action: Callable[[], int]) -> int:
    """Result of *action* (0..255) in a child under the filter, 1000 + n when signal n ended it."""
    pid = os.fork()
    if pid == 0:
        try:
            linux.set_no_new_privs()
            linux.load_seccomp(program(ARCH, profile))
            os._exit(action())
        finally:
            os._exit(254)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if status >= 0 else 1000 - status


FOR_A_SANDBOX = {"mount", "umount2", "pivot_root", "sethostname"}
"""What a gate may call: bubblewrap does, in namespaces of its own."""
OWN_NAMESPACES = 0x10000000 | 0x00020000 | 0x04000000


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", NUMBERS)
def test_refused_calls(profile: Profile, name: str) -> None:
    """EPERM, whoever asks: root in the test would otherwise be let through or see another errno."""
    bad = (0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, 0)
    assert filtered(profile, lambda: call(NUMBERS[name], *bad)) == errno.EPERM or (
        profile is Profile.GATE and name in FOR_A_SANDBOX
    )


@pytest.mark.parametrize("name", FOR_A_SANDBOX)
def test_what_bubblewrap_calls_reaches_the_kernel(name: str) -> None:
    """With bad addresses, so that nothing comes of it."""

    def attempt() -> int:
        assert call(UNSHARE, OWN_NAMESPACES) == 0
        return call(NUMBERS[name], 0xFFFFFFFF, 0xFFFFFFFF)

    assert filtered(Profile.GATE, attempt) in (errno.EFAULT, errno.EINVAL)


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(
    ("what", "number", "arguments", "expected"),
    [
        ("clone3", 435, (0, 0), errno.ENOSYS),
        ("a call newer than the table", 480, (), errno.ENOSYS),
        ("unshare time", UNSHARE, (0x80,), errno.EPERM),
        ("unshare files", UNSHARE, (0x400,), 0),
        ("TIOCSTI", IOCTL, (0, TIOCSTI, 0), errno.EPERM),
        ("TIOCSTI, high bit", IOCTL, (0, HIGH | TIOCSTI, 0), errno.EPERM),
        ("TIOCLINUX", IOCTL, (0, TIOCLINUX, 0), errno.EPERM),
        ("another ioctl", IOCTL, (0xFFFF, FIONREAD, 0), errno.EBADF),
        ("personality asked", PERSONALITY, (0xFFFFFFFF,), 0),
        ("personality changed", PERSONALITY, (0x0040000,), errno.EPERM),
        ("inet", SOCKET, (2, 1, 0), 0),
        ("inet6 datagram", SOCKET, (10, 2, 0), 0),
        ("route netlink", SOCKET, (16, 3, 0), 0),
        ("audit netlink", SOCKET, (16, 3, 9), errno.EAFNOSUPPORT),
        ("netlink family, high bit", SOCKET, (HIGH | 16, 3, 9), errno.EAFNOSUPPORT),
        ("packet", SOCKET, (17, 3, 0), errno.EAFNOSUPPORT),
        ("vsock", SOCKET, (40, 1, 0), errno.EAFNOSUPPORT),
        ("alg", SOCKET, (38, 5, 0), errno.EAFNOSUPPORT),
        ("bluetooth", SOCKET, (31, 3, 0), errno.EAFNOSUPPORT),
        ("a negative family", SOCKET, (0xFFFFFFFF, 1, 0), errno.EAFNOSUPPORT),
    ],
)
def test_arguments(
    profile: Profile, what: str, number: int, arguments: tuple[int, ...], expected: int
) -> None:
    """The low half of an argument decides, since the kernel looks at no more."""
    assert filtered(profile, lambda: call(number, *arguments)) == expected, what


@pytest.mark.parametrize("profile", [Profile.BOTTLE, Profile.SIDECAR])
@pytest.mark.parametrize(
    ("what", "number", "flags"),
    [
        ("unshare user", UNSHARE, 0x10000000),
        ("unshare net", UNSHARE, 0x40000000),
        ("unshare user, high bit", UNSHARE, HIGH | 0x10000000),
        ("clone user", CLONE, 0x10000000),
        ("clone user as thread", CLONE, 0x10010000),
        ("clone mount, high bit", CLONE, HIGH | 0x00020000),
    ],
)
def test_namespaces_are_a_gates_alone(profile: Profile, what: str, number: int, flags: int) -> None:
    assert filtered(profile, lambda: call(number, flags)) == errno.EPERM, what


def test_a_gate_makes_namespaces_and_processes_and_no_socket_that_leads_to_the_hosts_abstract_ones() -> None:
    """It keeps the host's network namespace; what it runs is sealed by bubblewrap and BOTTLE's filter on top."""
    assert filtered(Profile.GATE, lambda: call(UNSHARE, 0x10000000)) == 0
    assert filtered(Profile.GATE, _forks) == 3
    for kind, expected in ((1, 0), (5, 0), (2, errno.EAFNOSUPPORT), (3, errno.EAFNOSUPPORT)):
        pair = (ctypes.c_int * 2)()
        address = ctypes.addressof(pair)
        assert (
            filtered(Profile.GATE, lambda kind=kind, to=address: call(SOCKETPAIR, 1, kind, 0, to)) == expected
        )
        assert filtered(Profile.GATE, lambda kind=kind: call(SOCKET, 1, kind, 0)) == errno.EAFNOSUPPORT


@pytest.mark.skipif(ARCH != "x86_64", reason="x32 and i386 are x86's")
def test_foreign_abis_are_killed() -> None:
    """The same numbers mean other calls there: x32 by its bit, i386 by its gate."""
    import mmap

    x32_getpid = 0x40000000 | 39
    assert filtered(Profile.BOTTLE, lambda: call(x32_getpid)) == 1000 + 31

    def int80() -> int:
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        return 0

    assert filtered(Profile.BOTTLE, int80) == 1000 + 31


def _threads() -> int:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return 0


def _forks() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _executes() -> int:
    os.execv("/bin/sh", ["sh", "-c", "exit 4"])


def _errno_of(action: Callable[[], int]) -> Callable[[], int]:
    def guarded() -> int:
        try:
            return action()
        except OSError as error:
            return 100 + (error.errno or 0)

    return guarded


@pytest.mark.parametrize(
    ("profile", "action", "expected"),
    [
        (Profile.BOTTLE, _threads, 0),
        (Profile.BOTTLE, _forks, 3),
        (Profile.BOTTLE, _executes, 4),
        (Profile.SIDECAR, _threads, 0),
        (Profile.SIDECAR, _forks, 100 + errno.EPERM),
        (Profile.SIDECAR, _executes, 100 + errno.EPERM),
    ],
)
def test_processes(profile: Profile, action: Callable[[], int], expected: int) -> None:
    """A bottle runs programs; a sidecar only threads."""
    assert filtered(profile, _errno_of(action)) == expected


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize("profile", Profile)
def test_programs_are_well_formed(arch: str, profile: Profile) -> None:
    """Every jump lands inside, forwards; every path ends in a return; the kernel's bound is kept."""
    code = list(struct.iter_unpack("=HBBI", program(arch, profile)))
    assert len(code) <= MAX_INSTRUCTIONS
    for at, (operation, jump_true, jump_false, _) in enumerate(code):
        if operation & 7 == 5:  # BPF_JMP
            assert at + 1 + max(jump_true, jump_false) < len(code)
    assert code[-1][0] == 6
    assert code[-1][3] == 0x7FFF0000
    assert [item for item in code if item[0] == 6 and item[3] == 0x7FFF0000]


def test_an_unknown_architecture_has_no_filter() -> None:
    """And so no bottle."""
    with pytest.raises(ValueError, match="riscv64"):
        program("riscv64", Profile.BOTTLE)
