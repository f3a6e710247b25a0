"""Whatever dies, in whatever order, by SIGKILL: no process, socket or mount is left, and no work is lost."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from e2e_support import eventually, processes_of

ROLES = ("launcher", "sidecar", "daemon", "parent")
"""``parent`` is the preloaded process that forks sidecars."""


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def descendants(pid: int) -> set[int]:
    """Every process below *pid*, itself included."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            parents[int(entry)] = parent_of(int(entry))
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that are there and no zombies (whose parent is a test)."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                found.add(pid)
    return found


class Running:
    """A bottle at work, and every process of the product by its role."""

    def __init__(self, person) -> None:
        self.person = person
        self.layout = person.layout
        before = set(processes_of(self.layout))
        self.process = person.popen(
            "run",
            "--",
            "sh",
            "-c",
            "echo precious > work; echo started; exec sleep 300",
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout.readline() == b"started\n"
        (self.identity,) = person.states()
        daemons = [pid for pid in processes_of(self.layout) if parent_of(pid) == 1 or pid in before]
        daemon = min(daemons or processes_of(self.layout))
        below = descendants(daemon) - {daemon}
        parents = {pid for pid in below if b"zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()}
        parent = next(pid for pid in parents if parent_of(pid) == daemon)
        launcher = next(
            pid
            for pid in descendants(self.process.pid)
            if b"bot_bottle" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        self.pids = {
            "launcher": launcher,
            "daemon": daemon,
            "parent": parent,
            "sidecar": max(below - {parent}),
        }
        self.all = descendants(self.process.pid) | descendants(daemon)

    def kill(self, role: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pids[role], signal.SIGKILL)

    def left_after_recovery(self) -> list[str]:
        """What lies about once the next command has run."""
        assert self.person.run("cleanup", "--yes").returncode == 0
        places = (self.layout.run / "b", self.layout.run / "x")
        return [name for place in places if place.exists() for name in os.listdir(place)]


@pytest.mark.parametrize("role", ROLES)
def test_one_is_killed(person, role: str) -> None:
    """The launcher's or the sidecar's end is the bottle's; the daemon's and its child's is not."""
    running = Running(person)
    running.kill(role)
    if role in ("daemon", "parent"):
        done = person.run("exec", running.identity, "--", "cat", "work")
        assert done.stdout == "precious\n", done.stderr
        running.process.send_signal(signal.SIGTERM)
    status = running.process.wait(20)
    assert status in {"launcher": (-9, 137), "sidecar": (125,)}.get(role, (128 + signal.SIGTERM,))
    stays = {running.pids[name] for name in ("daemon", "parent") if name != role and role != "daemon"}
    eventually(lambda: not alive(running.all - stays), "every process of the bottle ends")
    assert running.left_after_recovery() == []
    assert person.states() == [running.identity]
    assert person.run("resume", "--yes", running.identity, "--", "cat", "work").stdout == "precious\n"


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(ROLES)), ids="-".join)
def test_all_are_killed(person, order: tuple[str, ...]) -> None:
    """One after the other, at once: nothing is left but the preserved state directory."""
    running = Running(person)
    for role in order:
        running.kill(role)
    running.process.wait(20)
    eventually(lambda: not alive(running.all), "every process ends")
    assert running.left_after_recovery() == []
    assert person.states() == [running.identity]
    assert person.run("resume", "--yes", running.identity, "--", "cat", "work").stdout == "precious\n"


@pytest.mark.parametrize("delay_ms", [20, 60, 90, 110, 130, 150, 170, 190, 210, 240, 280])
def test_a_launch_is_killed_at_any_step(person, delay_ms: int) -> None:
    """From the first step to the last: no process and no socket is left, whatever had been made."""
    person.run("run", "--", "true")  # the daemon runs
    process = person.popen("run", "--", "sleep", "300", stdin=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay_ms / 1000)
    pids = descendants(process.pid)
    for daemon in processes_of(person.layout):
        pids |= descendants(daemon) - set(processes_of(person.layout))
    process.kill()
    for pid in pids & alive(pids):  # setpriv became the command; the pid is the same
        with contextlib.suppress(OSError):
            if b"bot_bottle\0run" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
    process.wait(10)
    resident = set(processes_of(person.layout))
    resident |= {pid for pid in alive(pids) if b"zygote" in cmdline(pid) and parent_of(pid) in resident}
    eventually(lambda: not alive(pids - resident), "every process of the launch ends")
    person.run("cleanup", "--yes")
    layout = person.layout
    assert [name for place in ("b", "x") for name in os.listdir(layout.run / place)] == []
    listed = json.loads(person.run("list", "active", "--json").stdout)
    assert listed == []


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
