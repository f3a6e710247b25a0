"""What a sidecar that has been taken over would try. Runs inside (as a sidecar) and outside (the control).

Each probe returns a word when it got through and raises OSError when it was stopped; where a success shows
on the outside (a file, a listener, a signal), the test looks there too.
"""

from __future__ import annotations

import array
import ctypes
import errno
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path

CONFIG_INSIDE = ("/etc/egress/probes.json", "/etc/gate/probes.json")
"""by kind: one of them is there"""
RESULTS_INSIDE = "/run/bot-bottle/results.json"

libc = ctypes.CDLL(None, use_errno=True)
_SYSCALLS = {"x86_64": {"io_uring_setup": 425, "keyctl": 250, "bpf": 321, "memfd_create": 319},
             "aarch64": {"io_uring_setup": 425, "keyctl": 219, "bpf": 280, "memfd_create": 279}}  # fmt: skip


def _call(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _syscall(name, *arguments):
    number = _SYSCALLS[os.uname().machine][name]
    return _call(libc.syscall(ctypes.c_long(number), *[ctypes.c_long(value) for value in arguments]))


def _connect(kind, address, message=b"probe"):
    with socket.socket(socket.AF_UNIX, kind) as sock:
        sock.connect(address)
        sock.send(message)


def _rebind(kind, address):
    """A pair is made, then one end is connected anew."""
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    with one, other:
        one.connect(address)
        one.send(b"probe")


def _write(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(fd, b"probe")
    os.close(fd)


def _read(path):
    with open(path, "rb") as file:
        return len(file.read(64))


def _spawn(marker):
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"echo probe > {marker}"], {})
    os.waitpid(pid, 0)


def _fork_exec(marker):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/sh", ["sh", "-c", f"echo probe > {marker}"])
        finally:
            os._exit(1)
    os.waitpid(pid, 0)


def _ptrace(pid):
    _call(libc.ptrace(ctypes.c_long(16), ctypes.c_long(pid), None, None))  # PTRACE_ATTACH
    os.waitpid(pid, 0)
    libc.ptrace(ctypes.c_long(17), ctypes.c_long(pid), None, None)


def _new_user_namespace():
    _call(libc.unshare(ctypes.c_int(0x10000000)))


def _mount():
    _call(libc.mount(b"tmpfs", b"/usr", b"tmpfs", ctypes.c_ulong(0), None))


def _by_number(key):
    """A shared kernel object would be reachable by its key alone (System V memory)."""
    return _call(libc.shmget(ctypes.c_int(key), ctypes.c_size_t(4096), ctypes.c_int(0)))


def probes(config: dict) -> dict:
    """Name to a function; *config* has the paths and numbers of what lies outside."""
    victim, abstract, packets = config["victim"], "\0" + config["abstract"], "\0" + config["abstract_packets"]
    return {
        "home": lambda: _read(config["home_secret"]),
        "home-listing": lambda: len(os.listdir(config["home"])),
        "other-bottle": lambda: len(os.listdir(config["other_run"])),
        "other-mirrors": lambda: len(os.listdir(config["other_gate"])),
        "own-proxys-directory": lambda: len(os.listdir(config["own_run"])),
        "own-proxys-policy": lambda: _read(config["egress"] + "/routes.yaml"),
        "own-gates-directory": lambda: len(os.listdir(config["own_gate"])),
        "own-bottles-directory": lambda: len(os.listdir(config["own_guest"])),
        "other-bottle-socket": lambda: _connect(socket.SOCK_STREAM, config["other_socket"]),
        "daemon-socket": lambda: _connect(socket.SOCK_SEQPACKET, config["daemon_socket"]),
        "docker-socket": lambda: _connect(socket.SOCK_STREAM, config["docker_socket"]),
        "agent-socket": lambda: _connect(socket.SOCK_STREAM, config["agent_socket"]),
        "abstract-stream": lambda: _connect(socket.SOCK_STREAM, abstract),
        "abstract-datagram": lambda: _connect(socket.SOCK_DGRAM, packets),
        "abstract-by-pair": lambda: _rebind(socket.SOCK_DGRAM, packets),
        "abstract-by-raw-pair": lambda: _rebind(socket.SOCK_RAW, packets),
        "environ-of-another": lambda: _read(f"/proc/{victim}/environ"),
        "memory-of-another": lambda: os.close(os.open(f"/proc/{victim}/mem", os.O_RDONLY)),
        "cwd-of-another": lambda: len(os.listdir(f"/proc/{victim}/cwd/")),
        "ptrace": lambda: _ptrace(victim),
        "signal": lambda: os.kill(victim, signal.SIGUSR1),
        "signal-by-pidfd": lambda: os.close(os.pidfd_open(victim)),
        "shell-by-spawn": lambda: _spawn(config["marker"]),
        "shell-by-fork": lambda: _fork_exec(config["marker"]),
        "write-home": lambda: _write(config["home"] + "/probe"),
        "write-policy": lambda: _write(config["egress"] + "/routes.yaml"),
        "write-own-policy": lambda: _write("/etc/egress/routes.yaml"),
        "write-root": lambda: _write("/probe-of-a-sidecar"),
        "write-etc": lambda: _write("/etc/probe-of-a-sidecar"),
        "write-usr": lambda: _write("/usr/probe-of-a-sidecar"),
        "write-tmp": lambda: _write(config["tmp_file"]),
        "write-dev": lambda: _write("/dev/probe-of-a-sidecar"),
        "sysctl": lambda: os.close(os.open("/proc/sys/kernel/domainname", os.O_WRONLY)),
        "kernel-log": lambda: os.close(os.open("/dev/kmsg", os.O_RDONLY)),
        "become-root": lambda: os.setuid(0),
        "mount": _mount,
        "user-namespace": _new_user_namespace,
        "hostname": lambda: socket.sethostname("probe"),
        "shared-memory": lambda: _by_number(config["shm_key"]),
        "io-uring": lambda: os.close(
            _syscall("io_uring_setup", 4, ctypes.addressof((ctypes.c_char * 256)()))
        ),
        "keyring": lambda: _syscall("keyctl", 0, -3, 0),
        "raw-socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
        "packet-socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close(),
    }


def run(config: dict, leave_out=()) -> dict[str, str]:
    """Every probe's result: ``through`` or the errno's name."""
    results = {}
    for name, probe in probes(config).items():
        if name in leave_out:
            continue
        try:
            probe()
            results[name] = "through"
        except OSError as error:
            results[name] = errno.errorcode.get(error.errno, str(error))
    return results


def state(keep=()) -> dict:
    """What the process is, as the kernel tells it."""
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    descriptors = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            descriptors[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # the listing's own
            continue
    return {
        "status": {key: status[key].strip() for key in
                   ("Name", "Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh",
                    "NoNewPrivs", "Seccomp", "NSpid")},
        "unexpected_descriptors": [
            f"{fd} {target}" for fd, target in descriptors.items() if fd not in (0, 1, 2, *keep)
        ],
        "standard": [descriptors[0], descriptors[1]],
        "processes": sorted(name for name in os.listdir("/proc") if name.isdigit()),
        "proc": sorted(name for name in os.listdir("/proc") if not name.isdigit()),
        "sysctls": sorted(str(path)[10:] for path in Path("/proc/sys").rglob("*") if path.is_file()),
        "environ": dict(os.environ),
        "dumpable": libc.prctl(3, 0, 0, 0, 0),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "root": sorted(os.listdir("/")),
        "etc": sorted(os.listdir("/etc")),
        "dev": sorted(os.listdir("/dev")),
        "session": os.getsid(0),
        "hostname": socket.gethostname(),
    }  # fmt: skip


def flood(sock) -> None:
    """Garbage, packets with descriptors, the longest packet; as many as the other end takes."""
    null = os.open("/dev/null", os.O_RDONLY)
    descriptors = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * 100))]
    packets = [b"{", b"\xff" * 100, b'{"type":"launched"}', b"x" * 150_000, b"[" * 100_000]
    for number in range(60):
        try:
            sock.sendmsg([packets[number % len(packets)]], descriptors if number % 2 else [])
        except OSError:
            continue
    os.close(null)


def run_inside(keep) -> None:
    """The hostile sidecar's part: results go into the one directory that it may write."""
    config = json.loads(next(path for path in map(Path, CONFIG_INSIDE) if path.exists()).read_text())
    found = {"state": state(keep), "probes": run(config) if config else {}}
    Path(RESULTS_INSIDE).write_text(json.dumps(found))


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]), leave_out=sys.argv[2:])))
