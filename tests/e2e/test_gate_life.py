"""A bottle with repositories has a second process beside it: whichever dies, by SIGKILL, nothing is left of them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from e2e_support import eventually, processes_of
from git_support import Gate, Inside, gate
from test_killed import alive, descendants


@pytest.fixture
def at(person):
    with gate(person) as made:
        yield made


def named(name: str, below: int) -> int:
    """The process of that name below a daemon, whose children's children the sidecars are."""
    (found,) = (pid for pid in descendants(below) if Path(f"/proc/{pid}/comm").read_text() == f"{name}\n")
    return found


def sidecars(at: Gate) -> dict[str, int]:
    (daemon,) = (pid for pid in processes_of(at.person.layout) if b"cli.daemon" in cmdline(pid))
    return {
        "daemon": daemon, "proxy": named("bottle-proxy", daemon), "gate": named("bottle-gate", daemon)
    }  # fmt: skip


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def sockets(at: Gate, inside: Inside) -> set[str]:
    return {path.name for path in at.person.layout.sockets(inside.identity).glob("*.sock")}


def test_both_are_there_and_end_with_the_bottle(at: Gate) -> None:
    inside = at.start()
    pids = sidecars(at)
    assert sockets(at, inside) == {"proxy.sock", "gate.sock"}
    assert "refs/heads/main" in inside.ok(f"git ls-remote {at.ssh.ssh}")
    shown = at.person.run("logs", inside.identity, "--kind", "git").stdout
    assert "git_ready" in shown and "git_fetch repo=project" in shown
    assert "git_fetch" in at.person.run("logs", inside.identity, "--json").stdout
    if os.geteuid() == 0 and at.person.uid == 0:
        uids = {name: Path(f"/proc/{pids[name]}").stat().st_uid for name in ("proxy", "gate")}
        assert uids["gate"] - uids["proxy"] == 100_000
    assert inside.end() == 0
    eventually(lambda: not alive({pids["proxy"], pids["gate"]}), "both end")


@pytest.mark.parametrize("kind", ["proxy", "gate"])
def test_the_bottle_ends_with_either_and_says_which(at: Gate, kind: str) -> None:
    inside = at.start()
    pids = sidecars(at)
    os.kill(pids[kind], signal.SIGKILL)
    assert inside.process.wait(20) == 125
    words = {"proxy": "the bottle's proxy ended", "gate": "the bottle's git gate ended"}[kind]
    eventually(lambda: words in inside.complaints.decode(), "it is said")
    eventually(lambda: not alive({pids["proxy"], pids["gate"]}), "the other one ends too")
    assert at.person.states() == [inside.identity]  # the work is kept


def test_a_daemon_that_is_killed_costs_neither(at: Gate) -> None:
    inside = at.start()
    pids = sidecars(at)
    os.kill(pids["daemon"], signal.SIGKILL)
    eventually(lambda: alive(set(processes_of(at.person.layout))) - {pids["daemon"]}, "another one is there")
    assert "refs/heads/main" in inside.ok(f"git ls-remote {at.ssh.ssh}")
    assert alive({pids["proxy"], pids["gate"]}) == {pids["proxy"], pids["gate"]}
    assert inside.end() == 0
    eventually(lambda: not alive({pids["proxy"], pids["gate"]}), "both end with the bottle")


def test_both_end_with_a_launcher_that_is_killed(at: Gate) -> None:
    inside = at.start()
    pids = sidecars(at)
    for pid in descendants(inside.process.pid):
        if b"bot_bottle" in cmdline(pid):
            os.kill(pid, signal.SIGKILL)
    inside.process.wait(20)
    eventually(lambda: not alive({pids["proxy"], pids["gate"]}), "both end")
    eventually(lambda: not list((at.person.layout.run / "s").iterdir()), "nothing is recorded any more")
    assert at.person.run("cleanup", "--yes").returncode == 0
    assert os.listdir(at.person.layout.run / "b") == []


def test_a_bottle_without_repositories_has_no_gate(at: Gate) -> None:
    inside = Inside(at.person, [], {})
    at.running.append(inside)
    (daemon,) = (pid for pid in processes_of(at.person.layout) if b"cli.daemon" in cmdline(pid))
    names = [Path(f"/proc/{pid}/comm").read_text() for pid in descendants(daemon)]
    assert names.count("bottle-proxy\n") == 1 and "bottle-gate\n" not in names
    assert sockets(at, inside) == {"proxy.sock"}
    dial = "python3 -c \"import socket; socket.create_connection(('127.0.0.1', 9418))\""
    assert "Connection refused" in inside(dial).err
