"""Ways around through the kernel: other processes, shared memory, descriptors, its odd corners (threats J5).

Each attempt is made by one script in the bottle and once more on the host, where it succeeds; where this
kernel does not know a thing at all, that is said.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from contextlib import ExitStack
from multiprocessing import shared_memory
from pathlib import Path

import pytest
from e2e_support import eventually

pytestmark = pytest.mark.slow

_PROBE = r"""
import ctypes, errno, json, mmap, os, platform, socket, struct, subprocess, sys
order = json.loads(sys.stdin.readline())
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
x86 = platform.machine() == "x86_64"
NUMBER = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "kcmp": (312, 272), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "fanotify_init": (300, 262), "setns": (308, 268), "unshare": (272, 97), "mount": (165, 40),
    "memfd_create": (319, 279), "swapon": (167, 224), "init_module": (175, 105), "kexec_load": (246, 104),
    "syslog": (103, 116), "personality": (135, 92),
}
UNKNOWN = (errno.ENOSYS, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EOPNOTSUPP, errno.ESOCKTNOSUPPORT)


def call(name, *args):
    ctypes.set_errno(0)
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    got = libc.syscall(ctypes.c_long(NUMBER[name][0 if x86 else 1]), *plain)
    if got < 0:
        raise OSError(ctypes.get_errno(), name)
    return got


def struct_of(size, *values):
    data = ctypes.create_string_buffer(size)
    for offset, form, value in values:
        struct.pack_into(form, data, offset, value)
    return data


def sleeper():
    child = subprocess.Popen(["sleep", "30"], stdout=subprocess.DEVNULL)
    return child


def on_child(work):
    child = sleeper()
    try:
        return work(child.pid)
    finally:
        child.kill()
        child.wait()


def attach(pid):
    call("ptrace", 0x4206, pid, 0, 0)  # PTRACE_SEIZE
    return True


def vm_read(pid):
    line = next(line for line in open(f"/proc/{pid}/maps") if " r" in line)
    low = int(line.split("-")[0], 16)
    data = ctypes.create_string_buffer(16)
    local = struct_of(16, (0, "P", ctypes.addressof(data)), (8, "N", 16))
    remote = struct_of(16, (0, "P", low), (8, "N", 16))
    return call("process_vm_readv", pid, local, 1, remote, 1, 0) == 16


def get_fd(pid):
    return call("pidfd_getfd", call("pidfd_open", pid, 0), 0, 0) >= 0


def victim_of(name, pid):
    return open(f"/proc/{pid}/{name}", "rb").read(64)


def victim_read(name):
    return len(victim_of(name, order["victim"])) > 0


def victim_root():
    return os.path.exists(f"/proc/{order['victim']}/root{order['file']}")


def victim_seen():
    return order["marker"].encode() in open(f"/proc/{order['victim']}/cmdline", "rb").read()


def init_memory():
    own = os.open(f"/proc/{order['first']}/mem", os.O_RDONLY)
    low = int(next(iter(open(f"/proc/{order['first']}/maps"))).split("-")[0], 16)
    return len(os.pread(own, 16, low)) == 16


def init_files():
    return bool(os.listdir(f"/proc/{order['first']}/fd")) or bool(victim_of("environ", order["first"]))


def shared(name):
    return order["marker"].encode() in open(f"/dev/shm/{name}", "rb").read()


def sysv(name, *flags):
    return call(name, order["key"], *flags) >= 0


def abstract():
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("\0" + order["abstract"])
    return True


def path_socket():
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(order["socket"])
    return True


def inherited():
    held = set()
    for fd in range(3, 256):
        try:
            held.add(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            continue
    return any(order["file"] in link for link in held)


def inherited_parents():
    pid, links = os.getpid(), []
    while pid > 1:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                pass
        pid = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
    return any(order["file"] in link for link in links)


def family(number, kind=socket.SOCK_STREAM, protocol=0):
    with socket.socket(number, kind, protocol):
        return True


def alg():
    with socket.socket(38, socket.SOCK_SEQPACKET) as sock:
        sock.bind(("hash", "sha256"))
        return True


def io_uring():
    return call("io_uring_setup", 4, struct_of(120)) >= 0


def bpf_map():
    return call("bpf", 0, struct_of(72, (0, "I", 2), (4, "I", 4), (8, "I", 4), (12, "I", 1)), 72) >= 0


def perf():
    attributes = struct_of(112, (0, "I", 1), (4, "I", 112), (8, "Q", 1), (40, "Q", 1))
    return call("perf_event_open", attributes, 0, -1, -1, 0) >= 0


def handle():
    made = struct_of(136, (0, "I", 128))
    mount = ctypes.c_int()
    return call("name_to_handle_at", -100, b"/usr", made, ctypes.byref(mount), 0) == 0


def namespace():
    pid = os.fork()
    if pid == 0:
        try:
            call("unshare", 0x10000000)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def join_namespace():
    return call("setns", os.open(f"/proc/{order['first']}/ns/uts", os.O_RDONLY), 0) == 0


def key():
    return call("add_key", b"user", order["marker"].encode(), b"x", 1, -2) > 0  # of this process: it ends with it


def found_key():
    return call("request_key", b"user", order["marker"].encode(), None, -2) > 0


def kernel_log():
    return call("syslog", 3, ctypes.create_string_buffer(4096), 4096) >= 0


def no_randomisation():
    before = call("personality", 0xFFFFFFFF)
    return call("personality", before | 0x0040000) >= 0


TRIES = {
    "ptrace": lambda: on_child(attach),
    "process_vm_readv": lambda: on_child(vm_read),
    "pidfd_getfd": lambda: on_child(get_fd),
    "init's memory": init_memory,
    "init's files and environment": init_files,
    "victim: seen": victim_seen,
    "victim: environ": lambda: victim_read("environ"),
    "victim: root": victim_root,
    "victim: attached to": lambda: attach(order["victim"]),
    "victim: memory": lambda: vm_read(order["victim"]),
    "victim: descriptor": lambda: get_fd(order["victim"]),
    "/dev/shm": lambda: shared(order["shm"]),
    "System V memory": lambda: sysv("shmget", 0, 0),
    "System V messages": lambda: sysv("msgget", 0),
    "System V semaphores": lambda: sysv("semget", 0, 0),
    "abstract socket": abstract,
    "path of a socket": path_socket,
    "inherited descriptor": inherited,
    "descriptors of all parents": inherited_parents,
    "io_uring": io_uring,
    "bpf": bpf_map,
    "perf": perf,
    "userfaultfd": lambda: call("userfaultfd", 1) >= 0,
    "fanotify": lambda: call("fanotify_init", 0x200, 0) >= 0,
    "name_to_handle_at": handle,
    "add_key": key,
    "request_key": found_key,
    "the host's session keyring": lambda: call("keyctl", 0, -3, 0) > 0,
    "AF_VSOCK": lambda: family(40),
    "AF_ALG": alg,
    "AF_PACKET": lambda: family(17, socket.SOCK_RAW),
    "raw IP": lambda: family(socket.AF_INET, socket.SOCK_RAW, 1),
    "netlink: netfilter": lambda: family(16, socket.SOCK_RAW, 12),
    "netlink: audit": lambda: family(16, socket.SOCK_RAW, 9),
    "netlink: kobject": lambda: family(16, socket.SOCK_RAW, 15),
    "AF_KEY": lambda: family(15, socket.SOCK_RAW, 2),
    "AF_BLUETOOTH": lambda: family(31, socket.SOCK_RAW, 1),
    "AF_XDP": lambda: family(44, socket.SOCK_RAW),
    "AF_TIPC": lambda: family(30),
    "AF_SMC": lambda: family(43),
    "user namespace": namespace,
    "setns": join_namespace,
    "kernel log": kernel_log,
    "no address randomisation": no_randomisation,
}


def memfd_program():
    # what is executed out of memory is as confined as all else
    fd = os.memfd_create("program")
    with open("/bin/cat", "rb") as file:
        os.write(fd, file.read())
    done = subprocess.run([f"/proc/self/fd/{fd}", "/proc/self/status"], pass_fds=[fd], capture_output=True)
    fields = dict(line.split(":\t", 1) for line in done.stdout.decode().splitlines() if ":\t" in line)
    return {name: fields.get(name, "").strip() for name in ("Seccomp", "NoNewPrivs", "CapBnd", "CapEff")}


report = {}
for name, attempt in TRIES.items():
    try:
        report[name] = "through" if attempt() else "nothing"
    except OSError as error:
        report[name] = "unknown here" if error.errno in UNKNOWN else errno.errorcode.get(error.errno, "?")
    except StopIteration:
        report[name] = "nothing"
print(json.dumps({"tries": report, "memfd": memfd_program()}), flush=True)
"""

_KEY = 0x62626F74 ^ os.getpid()


class _Ground:
    """What lies about on the host to be found: a process, files in shared memory, sockets, keys, a descriptor."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self.marker = f"marker-{secrets.token_hex(8)}"
        self.file = str(directory / "held")
        Path(self.file).write_text(self.marker)
        self.held = os.open(self.file, os.O_RDONLY)
        stack.callback(os.close, self.held)
        code = "import sys; sys.stdin.read()"
        victim = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", code, self.marker], stdin=subprocess.PIPE)
        )
        stack.callback(victim.kill)
        eventually(lambda: self.marker in Path(f"/proc/{victim.pid}/cmdline").read_text(), "it has started")
        memory = shared_memory.SharedMemory(create=True, size=4096)
        stack.callback(memory.unlink)
        stack.callback(memory.close)
        memory.buf[: len(self.marker)] = self.marker.encode()
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0{self.marker}")
        abstract.listen(16)
        path = stack.enter_context(socket.socket(socket.AF_UNIX))
        path.bind(str(directory / "s"))
        os.chmod(directory / "s", 0o666)
        path.listen(16)
        self.listeners = (abstract, path)
        self.order = {
            "marker": self.marker, "victim": victim.pid, "first": victim.pid, "file": self.file,
            "shm": memory.name.lstrip("/"), "key": _KEY, "abstract": self.marker, "socket": str(directory / "s"),
        }  # fmt: skip
        made = subprocess.run(
            [sys.executable, "-I", "-c", _SYSV, str(_KEY), "make"], check=True, capture_output=True, text=True
        )
        stack.callback(
            subprocess.run, [sys.executable, "-I", "-c", _SYSV, *made.stdout.split(), "end"], check=True
        )

    def reached(self) -> int:
        """How many connections the listeners have got since the last call."""
        count = 0
        for listener in self.listeners:
            listener.setblocking(False)
            while True:
                try:
                    listener.accept()[0].close()
                except BlockingIOError:
                    break
                count += 1
        return count


_SYSV = r"""
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
*numbers, what = sys.argv[1:]
if what == "make":
    key = int(numbers[0])
    made = [libc.shmget(key, 4096, 0o1666), libc.msgget(key, 0o1666), libc.semget(key, 1, 0o1666)]
    assert min(made) >= 0, ctypes.get_errno()
    print(*made)
else:
    shm, msg, sem = map(int, numbers)
    ended = [libc.shmctl(shm, 0, None), libc.msgctl(msg, 0, None), libc.semctl(sem, 0, 0)]
    assert min(ended) >= 0, ctypes.get_errno()
"""


@pytest.mark.skipif(
    os.geteuid() != 0, reason="what a host allows to root alone can't be shown to work without"
)
def test_the_kernel_is_no_way_out(person, tmp_path):
    """J5: nothing of the host's processes, memory, keys and sockets is reached; nor the kernel's odd corners."""
    with ExitStack() as stack:
        ground = _Ground(stack, tmp_path)
        for directory in (tmp_path, *tmp_path.parents[:-2]):
            directory.chmod(directory.stat().st_mode | 0o055)
        given = json.dumps(ground.order).encode() + b"\n"
        inside = json.dumps({**ground.order, "first": 1}).encode() + b"\n"
        outside = subprocess.run(
            [sys.executable, "-I", "-c", _PROBE], input=given, capture_output=True, pass_fds=[ground.held]
        )
        assert outside.returncode == 0, outside.stderr.decode()
        control = json.loads(outside.stdout)
        assert ground.reached() == 2, "not proven"
        process = person.popen(
            "run", "--", "python3", "-c", _PROBE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, pass_fds=[ground.held],
        )  # fmt: skip
        out, said = process.communicate(inside, timeout=60)
        assert process.returncode == 0, said.decode()
        assert ground.reached() == 0
    report = json.loads(out)
    absent = sorted(name for name, came in control["tries"].items() if came == "unknown here")
    print(f"not known to this kernel: {absent}")
    unproven = {
        name: came for name, came in control["tries"].items() if came not in ("through", "unknown here")
    }
    assert not unproven, f"not proven: {unproven}"
    through = {name: came for name, came in report["tries"].items() if came == "through"}
    assert not through, through
    assert report["memfd"] == {
        "Seccomp": "2", "NoNewPrivs": "1", "CapBnd": "0000000000000000", "CapEff": "0000000000000000"
    }  # fmt: skip
    assert control["memfd"]["CapEff"] != report["memfd"]["CapEff"], "not proven"
