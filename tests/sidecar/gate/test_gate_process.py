"""A gate's life: it starts whole or says why not, ends when told or alone, and gives back what clients left open."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gate_ground import QUIET, TOKEN, GateGround

from bot_bottle.ipc.sidecar import Ready, Refused


def eventually(holds: Callable[[], object], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert holds()


def descriptors(gate: GateGround) -> int:
    return len(os.listdir(f"/proc/{gate.pid}/fd"))


def children(gate: GateGround) -> list[int]:
    """Processes of the gate's session, itself left out; zombies too."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path("/proc", name, "stat").read_text()
            except OSError:
                continue
            if int(stat[stat.rindex(")") + 2 :].split()[1]) == gate.pid:
                found.append(int(name))
    return found


@pytest.mark.parametrize("end", ["drain", "control", "term"])
def test_it_ends_when_told_and_when_its_launcher_is_gone(gate_ground: GateGround, end: str) -> None:
    upstream = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready)
    gate_ground.clone(upstream)
    if end == "drain":
        assert gate_ground.drain() == 0
        return
    if end == "term":
        os.kill(gate_ground.pid, signal.SIGTERM)
    else:
        gate_ground.hang_up()
    assert gate_ground.wait() == 0


def test_without_git_it_does_not_start(gate_ground: GateGround, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason reaches the launcher, with what mends it."""
    gate_ground.add()
    monkeypatch.setattr("bot_bottle.sidecar.gate.version.OLDEST_GIT", (99, 0))
    said = gate_ground.start()
    assert isinstance(said, Refused) and "too old: install git 99.0" in said.reason
    assert gate_ground.wait() == 1


def test_without_bubblewrap_it_does_not_start(
    gate_ground: GateGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate_ground.add()
    monkeypatch.setattr("bot_bottle.sidecar.gate.confined.find_program", lambda name: None)
    said = gate_ground.start()
    assert isinstance(said, Refused) and "bubblewrap" in said.reason
    assert gate_ground.wait() == 1


def test_pushes_of_a_killed_gate_are_removed(gate_ground: GateGround) -> None:
    """Nothing that was not judged stays on the disk."""
    gate_ground.add()
    left = gate_ground.place / "run/incoming/7.git/objects"
    left.mkdir(parents=True)
    (left / "x").write_text("x")
    assert isinstance(gate_ground.start(), Ready)
    assert list((gate_ground.place / "run/incoming").iterdir()) == []


def test_secrets_are_in_its_own_memory_and_files_alone(gate_ground: GateGround) -> None:
    """Not in its environment or arguments, and of its files in those that the two commands read: mode 0600."""
    upstream = gate_ground.add(https=True)
    gate_ground.add()
    gate_ground.start()
    gate_ground.clone(upstream)
    key = gate_ground.upstreams.ssh.key.split("\n")[1].encode()
    for name in ("environ", "cmdline"):
        data = Path(f"/proc/{gate_ground.pid}/{name}").read_bytes()
        assert key not in data and TOKEN.encode() not in data
    holding = {}
    for path in gate_ground.place.rglob("*"):
        if path.is_file() and not path.is_symlink() and key in path.read_bytes():
            holding[path.name] = path.stat().st_mode & 0o777
            assert "keys" in path.parts
    assert holding == {"key": 0o600}
    assert TOKEN not in gate_ground.said() and key.decode() not in gate_ground.said()


@pytest.mark.slow
def test_clients_that_leave_leave_nothing(gate_ground: GateGround) -> None:
    """In the middle of a clone, of a push, and before a word: no process, no descriptor, no directory stays."""
    upstream = gate_ground.add()
    for number in range(4):
        upstream.commit({f"file-{number}": os.urandom(3_000_000)})
    gate_ground.start()
    clone = gate_ground.clone(upstream)
    (clone / "large").write_bytes(os.urandom(3_000_000))
    assert gate_ground.git("add", "-A", cwd=clone).returncode == 0
    assert gate_ground.git("commit", "-q", "-m", "x", cwd=clone).returncode == 0
    eventually(lambda: not children(gate_ground))
    before = descriptors(gate_ground)
    path = f"/{upstream.path.name}/git-upload-pack"
    want = f"0032want {upstream.tip()}\n00000009done\n".encode()
    for turn in range(4):
        head = f"POST {path} HTTP/1.1\r\nHost: g\r\nContent-Type: application/x-git-upload-pack-request\r\n"
        with socket.create_connection(("127.0.0.1", gate_ground.port), 20) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(f"{head}Content-Length: {len(want)}\r\n\r\n".encode() + want)
            assert sock.recv(12) == b"HTTP/1.1 200"
        with socket.create_connection(("127.0.0.1", gate_ground.port), 20) as sock:
            sock.sendall(f"{head}Content-Length: {len(want)}\r\n\r\n".encode() + want[:9])
        argv = ["git", "push", "-q", "origin", f"HEAD:refs/heads/b{turn}"]
        push = subprocess.Popen(argv, cwd=clone, env=QUIET, stderr=subprocess.DEVNULL)
        time.sleep(0.25 * turn)
        push.kill()
        push.wait()
    eventually(lambda: not children(gate_ground))
    eventually(lambda: descriptors(gate_ground) <= before)
    assert list((gate_ground.place / "run/incoming").iterdir()) == []
    refs = upstream.refs()
    assert all(oid in (refs["refs/heads/main"], gate_ground.git("rev-parse", "HEAD", cwd=clone).stdout.strip())
               for oid in refs.values())  # fmt: skip
    gate_ground.clone(upstream)
