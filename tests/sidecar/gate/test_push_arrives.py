"""What an agent pushes is upstream afterwards, and the client's success means just that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from gate_ground import GateGround

from bot_bottle.ipc.sidecar import KnownValue, Ready, Refused, TokensTaken


def test_a_push_is_upstream_when_the_client_is_told_so(gate_ground: GateGround) -> None:
    repository = gate_ground.add()
    repository.commit({"README": "hello\n"})
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(repository)
    made = gate_ground.commit(clone, "a/b.txt", "one\n")
    done = gate_ground.git("push", "origin", "HEAD:main", cwd=clone)
    assert done.returncode == 0, (done.stderr, gate_ground.said())
    assert repository.refs()["refs/heads/main"] == made
    assert "scanning 1 commits" in done.stderr
    (pushed,) = gate_ground.records("git_pushed")
    assert pushed["repo"] == repository.path.name.removesuffix(".git")
    assert (pushed["commits"], pushed["findings"]) == (1, [])
    assert len(pushed["gitleaks_sha256"]) == len(pushed["rules_sha256"]) == 64


def test_several_refs_arrive_or_none(gate_ground: GateGround) -> None:
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(repository)
    made = gate_ground.commit(clone)
    gate_ground.git("tag", "-a", "v1", "-m", "one", cwd=clone)
    repository.hook("update", '#!/bin/sh\n[ "$1" != refs/heads/b ] || { echo "b is frozen" >&2; exit 1; }\n')
    before = repository.refs()

    done = gate_ground.git("push", "origin", "HEAD:main", "HEAD:b", "v1", cwd=clone)
    assert done.returncode != 0
    assert "b is frozen" in done.stderr, "upstream's own words"
    assert repository.refs() == before
    assert "upstream refused the push" in done.stderr
    assert gate_ground.records("git_push_refused")[-1]["upstream"]

    done = gate_ground.git("push", "origin", "HEAD:main", "HEAD:c", "v1", cwd=clone)
    assert done.returncode == 0, done.stderr
    refs = repository.refs()
    assert refs["refs/heads/main"] == refs["refs/heads/c"] == made
    assert "refs/tags/v1" in refs


def test_what_is_upstream_already_is_not_looked_at_again(gate_ground: GateGround) -> None:
    """The base is what upstream says: an old secret there refuses no new work, and a branch at an old commit passes."""
    repository = gate_ground.add()
    secret = b"ghp_" + b"".join(b"%d" % (digit * 7 % 10) for digit in range(36))
    repository.commit({"old.txt": b"token = '%s'\n" % secret})
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(repository)
    gate_ground.commit(clone)
    for refspecs in (["HEAD:main"], ["HEAD~1:refs/heads/older"], ["HEAD:again", "HEAD~2:refs/heads/oldest"]):
        done = gate_ground.git("push", "origin", *refspecs, cwd=clone)
        assert done.returncode == 0, (refspecs, done.stderr, gate_ground.said())
    assert set(repository.refs()) == {f"refs/heads/{name}" for name in ("main", "older", "again", "oldest")}


@pytest.mark.slow
def test_of_two_pushes_to_one_ref_one_wins_and_the_other_is_told(gate_ground: GateGround) -> None:
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clones = [gate_ground.clone(repository) for _ in range(3)]
    made = [gate_ground.commit(clone, f"file-{number}") for number, clone in enumerate(clones)]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda clone: gate_ground.git("push", "origin", "HEAD:main", cwd=clone), clones))
    won = [number for number, each in enumerate(done) if each.returncode == 0]
    assert len(won) == 1, [each.stderr for each in done]
    assert repository.tip() == made[won[0]]
    for number, each in enumerate(done):
        told = ("moved it meanwhile", "upstream refused the push", "fetch first")
        assert number in won or any(words in each.stderr for words in told), each.stderr
    again = gate_ground.git("pull", "-q", "--rebase", cwd=clones[(won[0] + 1) % 3])
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_a_login_that_is_refreshed_on_the_host_is_searched_for_from_then_on(gate_ground: GateGround) -> None:
    """The new value and the old one; the gate's own keys can't be changed that way."""
    old, new = "first-8fK2mQ7xZ4pW9", "second-3nB6vC1yT5jR8"
    gate_ground.known = (KnownValue("LOGIN", old, "operator"),)
    repository = gate_ground.add()
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(repository)
    gate_ground.commit(clone, "before.txt", f"{new}\n")
    assert gate_ground.git("push", "origin", "HEAD:before", cwd=clone).returncode == 0, "control"

    assert isinstance(gate_ground.tell(known=(KnownValue("LOGIN", new, "operator"),)), TokensTaken)
    assert isinstance(gate_ground.tell(tokens={"GATE_KEY": "another"}), Refused)
    refs = repository.refs()
    for number, value in enumerate((old, new)):
        gate_ground.git("checkout", "-q", "-B", f"b{number}", "origin/before", cwd=clone)
        gate_ground.commit(clone, "after.txt", f"a {value} b\n")
        done = gate_ground.git("push", "origin", "HEAD:after", cwd=clone)
        assert done.returncode != 0
        assert "LOGIN" in done.stderr
        assert value not in done.stderr
    assert repository.refs() == refs
    gate_ground.git("checkout", "-q", "-B", "clean", "origin/before", cwd=clone)
    gate_ground.commit(clone, "clean.txt", "no secret\n")
    assert gate_ground.git("push", "origin", "HEAD:clean", cwd=clone).returncode == 0, (
        "the key is what it was"
    )
