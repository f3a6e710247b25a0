"""A credential is in the launching process, the pipe and the sidecar, and nowhere else (ruling 38, threat F4)."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

import pytest

CHUNK = 1 << 20


def memory_holds(pid: int, needle: bytes) -> bool:
    """Whether a readable, writable mapping of *pid* holds *needle*."""
    ranges = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", Path(f"/proc/{pid}/maps").read_text(), re.M)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for low, high in ranges:
            position, end = int(low, 16), int(high, 16)
            tail = b""
            while position < end:
                with contextlib.suppress(OSError):
                    memory.seek(position)
                    tail = tail[-len(needle) :] + (memory.read(min(CHUNK, end - position)) or b"")
                    if needle in tail:
                        return True
                position += CHUNK
    return False


def where_visible(needle: bytes, root: Path) -> set[str]:
    """Every environment, command line and file below *root* that holds *needle*."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            for name in ("environ", "cmdline"):
                with contextlib.suppress(OSError):
                    if needle in Path(f"/proc/{entry}/{name}").read_bytes():
                        found.add(f"/proc/{entry}/{name}")
    for path in root.rglob("*"):
        if path.is_file() and needle in path.read_bytes():
            found.add(str(path))
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="other processes' memory needs root")
def test_a_credential_is_seen_only_by_launcher_and_sidecar(host):
    """With a control: the same search finds it in both of them, and finds what is planted in a file and in
    an environment."""
    secret = secrets.token_hex(24)
    needle = secret.encode()
    launcher, event = host.ready(entry="keeper", secret=secret)
    zygote = host.zygote(event["daemon"])
    holders = {
        "launcher": launcher.pid,
        "sidecar": event["sidecar"],
        "daemon": event["daemon"],
        "parent": zygote,
    }
    assert {name for name, pid in holders.items() if memory_holds(pid, needle)} == {"launcher", "sidecar"}
    # the launching process of these tests gets its options, this one included, by its command line
    assert where_visible(needle, host.root) == {f"/proc/{launcher.pid}/cmdline"}
    (host.root / "planted").write_bytes(b"x" + needle)
    assert str(host.root / "planted") in where_visible(needle, host.root)


def test_the_ca_key_is_in_no_file(host):
    """A real proxy: its certificate goes to the launcher, nothing like a private key to any file."""
    _, event = host.ready(entry="proxy")
    assert event["ca"].startswith("-----BEGIN CERTIFICATE-----")
    assert where_visible(b"PRIVATE KEY-----\nM", host.root) == set()  # compiled patterns have the words alone
    assert host.alive(event["sidecar"])
