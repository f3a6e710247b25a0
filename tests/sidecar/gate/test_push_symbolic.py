"""A branch upstream that only stands for another one (git-symbolic-ref(1)): a push to it would move the other."""

from __future__ import annotations

from gate_ground import GateGround

from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.ipc.sidecar import Ready
from bot_bottle.sidecar.gate.told import symbolic_refs


def test_a_denied_branch_is_not_moved_through_another_name(gate_ground: GateGround) -> None:
    upstream = gate_ground.add(https=True, policy=RepoPolicy(deny_refs=("refs/heads/main",)))
    gate_ground.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main", cwd=upstream.path)
    assert isinstance(gate_ground.start(), Ready), gate_ground.said()
    clone = gate_ground.clone(upstream)
    gate_ground.commit(clone)
    before = upstream.refs()
    assert before["refs/heads/trunk"] == before["refs/heads/main"], "the control: one stands for the other"

    for _ in range(2):  # the second time the mirror needs no fetch
        done = gate_ground.git("push", "origin", "HEAD:refs/heads/trunk", cwd=clone)
        assert done.returncode != 0, done.stderr
        assert upstream.refs() == before

    done = gate_ground.git("push", "origin", "HEAD:refs/heads/other", cwd=clone)
    assert done.returncode == 0, (done.stderr, gate_ground.said())


def test_what_a_listing_says_of_symbolic_refs() -> None:
    a = "a" * 40
    lines = f"ref: refs/heads/main\tHEAD\n{a}\tHEAD\n{a}\trefs/heads/main\n"
    assert symbolic_refs(lines.encode()) == frozenset()
    lines += f"ref: refs/heads/main\trefs/heads/trunk\n{a}\trefs/heads/trunk\n"
    assert symbolic_refs(lines.encode()) == {"refs/heads/trunk"}
