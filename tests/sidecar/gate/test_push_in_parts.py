"""A secret that leaves in pieces, each too short to be anything: over files, messages, names, refs and pushes."""

from __future__ import annotations

import random

import pytest
from gate_ground import GateGround

from bot_bottle.ipc.sidecar import KnownValue, Ready

SECRET = "".join(random.Random(61).choices("ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz23456789", k=48))
PIECES = [SECRET[at : at + 8] for at in range(0, len(SECRET), 8)]


def _push(gate: GateGround, where: str) -> bool:
    """Six pieces of eight letters go out as *where* says; whether any push of them was refused."""
    repository = gate.add()
    assert isinstance(gate.start(), Ready), gate.said()
    clone = gate.clone(repository)
    for number, piece in enumerate(PIECES):
        if where == "names":
            gate.commit(clone, f"{piece}.txt", f"{number}\n")
        elif where == "messages":
            gate.git("commit", "-q", "--allow-empty", "-m", f"about {piece} and so on", cwd=clone)
        else:
            gate.commit(clone, f"{number}.txt", f"text {number}\nid = {piece}\n")
        if where == "pushes" and gate.git("push", "origin", f"HEAD:b{number}", cwd=clone).returncode:
            return True
    refspecs = [f"HEAD:{piece}" for piece in PIECES] if where == "refs" else ["HEAD:all"]
    if where == "refs":
        gate.git("reset", "-q", "--hard", f"HEAD~{len(PIECES)}", cwd=clone)
    return gate.git("push", "origin", *refspecs, cwd=clone).returncode != 0


@pytest.mark.parametrize(
    "where",
    [
        "files",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("messages", "names", "refs", "pushes")),
    ],
)
def test_a_known_secret_in_pieces_is_refused(gate_ground: GateGround, where: str) -> None:
    gate_ground.known = (KnownValue("PASSWORD", SECRET, "env"),)
    assert _push(gate_ground, where)
    assert "PASSWORD" in str(gate_ground.records("git_push_refused")[-1])


def test_the_same_pieces_pass_where_they_are_of_no_secret(gate_ground: GateGround) -> None:
    gate_ground.known = (KnownValue("PASSWORD", SECRET[::-1], "env"),)
    assert not _push(gate_ground, "files")


def test_the_third_part_of_a_credential_ends_all_pushing(gate_ground: GateGround) -> None:
    """Nobody in the bottle has it: parts of it are guesses, and a refusal would tell which are right (ruling 54)."""
    gate_ground.known = (KnownValue("TOKEN", SECRET, "injected"),)
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(repository)
    said = []
    for start in (0, 15, 30):
        gate_ground.git("checkout", "-q", "-B", "work", "origin/main", cwd=clone)
        gate_ground.commit(clone, "guess.txt", f"is it {SECRET[start : start + 16]}?\n")
        said.append(gate_ground.git("push", "origin", "HEAD:work", cwd=clone))
    gate_ground.git("checkout", "-q", "-B", "clean", "origin/main", cwd=clone)
    gate_ground.commit(clone, "clean.txt", "no guess\n")
    said.append(gate_ground.git("push", "origin", "HEAD:clean", cwd=clone))
    assert all(done.returncode for done in said)
    assert ["cut off" in done.stderr for done in said] == [False, False, True, True]
    assert gate_ground.records("git_cut_off")[0]["slots"] == ["TOKEN"]
    assert set(repository.refs()) == {"refs/heads/main"}
