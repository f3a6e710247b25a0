"""What tests must leave as it was, one fact a line: CI compares this text from before and after.

``host_state.py`` prints it; ``host_state.py --until FILE`` waits for up to 90 s (a daemon ends 60 s after its
last bottle) until nothing is there that is not in *FILE*, else prints it and exits 1.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

WAIT_S = 90.0
SYSCTLS = (
    "kernel/core_pattern",
    "kernel/yama/ptrace_scope",
    "net/ipv4/ip_forward",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv6/conf/all/disable_ipv6",
    "user/max_user_namespaces",
    "vm/overcommit_memory",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/random", "/dev/urandom", "/dev/ptmx")
OURS = (b"bot_bottle", b"bot-bottle", b"bwrap")


def sysctls() -> Iterator[str]:
    for name in SYSCTLS:
        path = Path("/proc/sys") / name
        if path.exists():
            yield f"sysctl {name} = {path.read_text().strip()}"


def devices() -> Iterator[str]:
    for name in DEVICES:
        if os.path.exists(name):
            found = os.stat(name)
            yield f"device {name} {stat.filemode(found.st_mode)} {found.st_rdev:#x} {found.st_uid}:{found.st_gid}"


def mounts() -> Iterator[str]:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        yield f"mount {line.split()[1]} {line.split()[2]}"


def interfaces() -> Iterator[str]:
    for entry in Path("/sys/class/net").iterdir():
        yield f"interface {entry.name}"


def leftovers() -> Iterator[str]:
    """Files and control groups that bottles of root use while they live."""
    for top in (
        Path("/run/bot-bottle"),
        Path("/var/lib/bot-bottle/state"),
        Path("/var/lib/bot-bottle/guests"),
    ):
        if top.is_dir():
            yield from (f"file {entry}" for entry in top.iterdir())
    for pattern in ("*bot-bottle*", "*/*bot-bottle*", "*/*/*bot-bottle*"):
        yield from (
            f"control group {entry}" for entry in Path("/sys/fs/cgroup").glob(pattern) if entry.is_dir()
        )


def processes() -> Iterator[str]:
    """Processes of the product, by their program: their number is what must not grow."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(part in word for word in words[:4] for part in OURS):
            yield "process " + b" ".join(words[:4]).decode(errors="replace")[:150]


def state() -> list[str]:
    parts = (sysctls(), devices(), mounts(), interfaces(), leftovers(), processes())
    return sorted(line for part in parts for line in part)


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            print("\n".join(state()))
            return 0
        case ["--until", name]:
            before = Counter(Path(name).read_text().splitlines())
            deadline = time.monotonic() + WAIT_S
            while (added := Counter(state()) - before) and time.monotonic() < deadline:
                time.sleep(1)
            print("\n".join(sorted(added.elements())) or "nothing")
            return 1 if added else 0
        case _:
            print("usage: host_state.py [--until FILE]", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
