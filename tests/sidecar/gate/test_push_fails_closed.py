"""A scanner that is missing, old, broken, slow or hostile lets nothing through; neither does a push too big to see."""

from __future__ import annotations

import random
from pathlib import Path

import git_ground
import pytest
from gate_ground import GateGround

from bot_bottle.ipc.sidecar import Ready, Refused
from bot_bottle.sidecar.gate import scanner

FAKE = """#!/usr/bin/python3
import os, sys
if sys.argv[1] == "version":
    print("8.26.0")
    sys.exit(0)
"""
KINDS = {
    "crash": "os.abort()",
    "status 1": "print('[]'); sys.exit(1)",
    "no report": "sys.exit(0)",
    "no JSON": "print('no leaks found')",
    "half a report": "print('[{')",
    "another JSON": "print('{}')",
    "a finding without its parts": 'print(\'[{"RuleID": "x"}]\')',
    "a report of another commit": "print('[{}]')",
    "nothing found, and nothing read": "print('[]')",
    "endless": "while True: os.write(1, b' ' * 65536)",
}


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    return tmp_path / "gitleaks"


def _start(ground: GateGround, fake: Path, body: str) -> git_ground.Repository:
    fake.write_text(FAKE + body + "\n")
    fake.chmod(0o755)
    ground.gitleaks = fake
    repository = ground.add()
    assert isinstance(ground.start(), Ready), ground.said()
    return repository


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_gitleaks_does_instead_of_its_work_refuses(
    gate_ground: GateGround, fake: Path, kind: str
) -> None:
    repository = _start(gate_ground, fake, KINDS[kind])
    before = repository.refs()
    clone = gate_ground.clone(repository)
    gate_ground.commit(clone)
    done = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
    assert done.returncode != 0
    assert "refused" in done.stderr, done.stderr
    assert repository.refs() == before
    reason = gate_ground.records("git_push_refused")[-1]["reason"]
    assert "gitleaks" in reason or "a command says more" in reason


@pytest.mark.parametrize("what", ["gone", "old", "no program", "cannot decode"])
def test_without_a_gitleaks_that_will_do_no_gate_starts(
    gate_ground: GateGround, fake: Path, what: str
) -> None:
    gate_ground.gitleaks = fake
    if what != "gone":
        says = {"old": "8.19.3", "cannot decode": "version is set by build process"}.get(what, "")
        text = f"#!/usr/bin/python3\nprint({says!r})\n" if says else "no program"
        fake.write_text(text)
        fake.chmod(0o755)
    gate_ground.add()
    said = gate_ground.start()
    assert isinstance(said, Refused)
    assert "gitleaks" in said.reason


@pytest.mark.slow
def test_what_is_too_large_is_refused_with_a_sentence(
    gate_ground: GateGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "MAX_OBJECT_BYTES", 100_000)
    monkeypatch.setattr(scanner, "MAX_TOTAL_BYTES", 150_000)
    monkeypatch.setattr(scanner, "MAX_OBJECTS", 20)
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready)
    cases = (
        (["a"], "more than the gate looks at"),
        (["b", "c"], "unpacks to more"),
        (["d"] * 9, "more than 20 "),
    )
    for names, says in cases:
        clone = gate_ground.clone(repository)
        for number, name in enumerate(names):
            size = {1: 120_000, 2: 80_000}.get(len(names), 10 + number)
            gate_ground.commit(clone, name, name * size)
        done = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
        assert (done.returncode != 0, says in done.stderr) == (True, True), done.stderr


def test_a_file_that_is_a_difference_from_another_is_bounded_by_what_git_would_hold(
    gate_ground: GateGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "MAX_DELTA_BYTES", 50_000)
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready)
    clone = gate_ground.clone(repository)
    text = "".join(random.Random(5).choices("abcdefgh \n", k=100_000))
    gate_ground.commit(clone, "a", text)
    gate_ground.commit(clone, "a", text + "more\n")
    done = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
    assert "is stored as a difference" in done.stderr, done.stderr


def test_large_files_reach_gitleaks_by_themselves(
    gate_ground: GateGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are told with file and commit, though gitleaks knows neither there; the line is our own scanner's to tell."""
    monkeypatch.setattr(scanner, "LARGE_BYTES", 10_000)
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready)
    clone = gate_ground.clone(repository)
    secret = "ghp_" + "".join(random.Random(4).choices("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789", k=36))
    made = gate_ground.commit(
        clone, "big.txt", "plain words\n" * 2000 + f"token = '{secret}'\n" + "end\n" * 2000
    )
    done = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
    lines = [line for line in done.stderr.splitlines() if "(gitleaks)" in line]
    assert lines
    assert all("big.txt" in line and made[:12] in line for line in lines), done.stderr
    assert "big.txt:2001: " in done.stderr
    assert secret not in done.stderr + gate_ground.said()


def test_a_file_behind_a_tag_alone_reaches_gitleaks_too(gate_ground: GateGround) -> None:
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready)
    clone = gate_ground.clone(repository)
    secret = "ghp_" + "".join(random.Random(6).choices("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789", k=36))
    content = f"token = '{secret}'\n".encode()
    blob = gate_ground.git("hash-object", "-w", "--stdin", cwd=clone, given=content).stdout.strip()
    gate_ground.git("tag", "-a", "v1", "-m", "a file", blob, cwd=clone)
    done = gate_ground.git("push", "origin", "v1", cwd=clone)
    assert "(gitleaks)" in done.stderr, done.stderr
    assert "refs/tags/v1" not in repository.refs()
