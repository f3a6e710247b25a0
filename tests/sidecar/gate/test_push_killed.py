"""SIGKILL of the gate at each step of a push: upstream has all of it or nothing; the next gate goes on from there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import git_ground
import pytest
from gate_ground import LAUNCH, GateGround

from bot_bottle.ipc.sidecar import Ready
from bot_bottle.proposals import files
from bot_bottle.proposals.lease import write_lease

_WAIT = "touch {at}\nwhile [ -e {hold} ]; do sleep 0.05; done\nexit 0\n"
_SLOW = """#!/usr/bin/python3
import sys, time
if sys.argv[1] == "version":
    print("8.26.0")
else:
    time.sleep(600)
"""


def _until(true: Callable[[], bool], what: str) -> None:
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within 60 s: {what}")


def _hold(upstream: git_ground.Repository, hook: str) -> Path:
    """Upstream's *hook* stands still until the path that is returned is gone."""
    root = upstream.path.parent
    (root / "hold").touch()
    seen = f"{git_ground.ROOT}/{upstream.path.name}"  # where its sshd has it
    upstream.hook(hook, _WAIT.format(at=f"{seen}/at-hook", hold=f"{git_ground.ROOT}/hold"))
    return root / "hold"


@pytest.mark.slow
@pytest.mark.parametrize("step", ["scanning", "asking", "judged upstream", "taken upstream"])
def test_a_kill_leaves_upstream_and_mirror_at_one(gate_ground: GateGround, step: str) -> None:
    upstream = gate_ground.add()
    real = gate_ground.gitleaks
    if step == "scanning":
        gate_ground.gitleaks = gate_ground.place / "slow-gitleaks"
        gate_ground.gitleaks.write_text(_SLOW)
        gate_ground.gitleaks.chmod(0o755)
    gate_ground.supervise = step == "asking"
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(upstream)
    before = upstream.refs()
    name = ".github/workflows/ci.yml" if step == "asking" else "a.txt"
    made = gate_ground.commit(clone, name, "on: push\n")
    hold = None
    if step.endswith("upstream"):
        hold = _hold(upstream, "pre-receive" if step == "judged upstream" else "post-receive")
    lease = gate_ground.place / "told" / files.LEASE
    lease.write_bytes(write_lease(time.clock_gettime(time.CLOCK_BOOTTIME)))
    client = gate_ground.open_git("push", "origin", "HEAD:main", cwd=clone)
    asked = gate_ground.place / "run" / files.ASKED / LAUNCH
    reached = {
        "scanning": lambda: b"slow-gitleaks" in _command_lines(),
        "asking": lambda: any(asked.glob("*.proposal.json")),
    }.get(step, lambda: (upstream.path / "at-hook").exists())
    _until(reached, step)

    gate_ground.kill()
    if hold is not None:
        hold.unlink()
    assert client.wait(60) != 0, "nobody was told of a success"
    lease.unlink()
    if step == "taken upstream":
        assert upstream.refs() == {**before, "refs/heads/main": made}
    else:
        _until(lambda: upstream.refs()["refs/heads/main"] in (before["refs/heads/main"], made), "one of two")
    assert upstream.git("fsck", "--connectivity-only", "--no-dangling") == ""

    gate_ground.gitleaks = real
    gate_ground.supervise = False
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    assert not list(gate_ground.place.glob("run/judged/*")), "nothing of a killed push is left"
    fetched = gate_ground.git("fetch", "-q", "origin", cwd=clone)
    assert fetched.returncode == 0, fetched.stderr
    theirs = gate_ground.git("rev-parse", "origin/main", cwd=clone).stdout.strip()
    assert theirs == upstream.tip()
    again = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
    assert (again.returncode == 0) is (step != "asking"), again.stderr
    assert upstream.tip() == (before["refs/heads/main"] if step == "asking" else made)


@pytest.mark.slow
def test_a_client_that_leaves_during_the_scan_ends_it(gate_ground: GateGround) -> None:
    upstream = gate_ground.add()
    gate_ground.gitleaks = gate_ground.place / "slow-gitleaks"
    gate_ground.gitleaks.write_text(_SLOW)
    gate_ground.gitleaks.chmod(0o755)
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(upstream)
    before = upstream.refs()
    gate_ground.commit(clone)
    client = gate_ground.open_git("push", "origin", "HEAD:main", cwd=clone)
    _until(lambda: b"slow-gitleaks" in _command_lines(), "gitleaks runs")
    os.killpg(client.pid, signal.SIGKILL)
    client.wait()
    _until(lambda: b"slow-gitleaks" not in _command_lines(), "gitleaks has ended")
    assert upstream.refs() == before
    assert not list(gate_ground.place.glob("run/judged/*"))


def _command_lines() -> bytes:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if line.startswith(b"/usr/bin/python3"):
            found.append(line)
    return b"\n".join(found)
