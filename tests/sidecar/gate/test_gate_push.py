"""Pushes as bytes: what receive-pack's sandbox makes of packs that are small on the wire and large in memory."""

from __future__ import annotations

import http.client
import random
import subprocess
import threading
import time

import git_ground
import pytest
from gate_ground import QUIET, GateGround
from hostile_packs import packs

from bot_bottle.gitgate.config import RepoPolicy

REF = "refs/heads/probe"
BOMBS = {hostile.name: hostile for hostile in packs(REF)}


def post(gate: GateGround, repository: git_ground.Repository, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=120)
    try:
        kind = {"Content-Type": "application/x-git-receive-pack-request"}
        connection.request("POST", f"/{repository.path.name}/git-receive-pack", body, kind)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def commands(new: str) -> bytes:
    line = f"{'0' * 40} {new} {REF}\0report-status".encode()
    return b"%04x" % (len(line) + 4) + line + b"0000"


def test_a_delta_that_promises_much_ends_that_push_alone(gate_ground: GateGround) -> None:
    """500 MiB out of 64 KiB: git can't have the memory. Another push beside it arrives."""
    upstream = gate_ground.add()
    gate_ground.start()
    clone = gate_ground.clone(upstream)
    mine = gate_ground.commit(clone)
    bomb = BOMBS["deltas that make 500 MiB of 64 KiB"]
    new = bomb.refs[REF]
    assert bomb.pack is not None
    said: list[tuple[int, bytes]] = []
    pushing = threading.Thread(
        target=lambda: said.append(post(gate_ground, upstream, commands(new) + bomb.pack))
    )
    pushing.start()
    assert gate_ground.git("push", "-q", "origin", "main", cwd=clone).returncode == 0
    pushing.join(120)
    ((status, answer),) = said
    assert status == 200 and b"unpack " in answer and b"unpack ok" not in answer, answer[-500:]
    assert upstream.refs() == {"refs/heads/main": mine}
    assert not upstream.has(new)
    deadline = time.monotonic() + 20
    while list((gate_ground.place / "run/incoming").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list((gate_ground.place / "run/incoming").iterdir()) == []


def test_a_pack_over_max_pack_is_refused(gate_ground: GateGround) -> None:
    """By its length, as git counts it, and by that of the request; upstream hears nothing of it."""
    upstream = gate_ground.add(policy=RepoPolicy(max_pack_bytes=100_000))
    gate_ground.start()
    clone = gate_ground.clone(upstream)
    (clone / "noise").write_bytes(random.Random(1).randbytes(200_000))
    assert gate_ground.git("add", "-A", cwd=clone).returncode == 0
    assert gate_ground.git("commit", "-q", "-m", "x", cwd=clone).returncode == 0
    before = upstream.tip()
    done = gate_ground.git("push", "origin", "main", cwd=clone)
    assert done.returncode != 0 and "exceeds maximum allowed size" in done.stderr, done.stderr
    assert upstream.tip() == before
    line = commands("1" * 40)[:-4]
    assert post(gate_ground, upstream, line * 60_000)[0] == 413  # more of commands than a push may have


@pytest.mark.slow
def test_two_pushes_at_once_to_one_ref(gate_ground: GateGround) -> None:
    """One wins; the other is told so, and upstream has the winner's."""
    upstream = gate_ground.add()
    gate_ground.start()
    clones = [gate_ground.clone(upstream) for _ in range(3)]
    tips = [gate_ground.commit(clone, f"file-{number}") for number, clone in enumerate(clones)]
    argv = ["git", "push", "origin", "main"]
    running = [subprocess.Popen(argv, cwd=clone, env=QUIET, stderr=subprocess.PIPE) for clone in clones]
    said = [each.communicate(timeout=120)[1].decode() for each in running]
    won = [number for number, each in enumerate(running) if each.returncode == 0]
    assert len(won) == 1, said
    assert upstream.tip() == tips[won[0]]
    for number, text in enumerate(said):
        assert number in won or "rejected" in text, text
