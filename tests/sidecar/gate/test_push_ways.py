"""A secret on any way into a push (threats H3): refused, told where it is and never what it is; nothing is upstream.

The control: the same push to a repository without a gate arrives, so that it is the gate that held it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import git_ground
import pytest
from gate_ground import GateGround
from push_ways import WAYS, Writer

from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.sample import make
from bot_bottle.gitgate.config import RepoPolicy
from bot_bottle.ipc.sidecar import Ready


class Ground:
    """One gate and one upstream for all of them: what is refused leaves no trace there."""

    def __init__(self, gate: GateGround, control: Path) -> None:
        self.gate, self.control = gate, control
        policy = RepoPolicy(allow_refs=("refs/heads/*", "refs/tags/*", "refs/notes/*"), ask_paths=())
        self.upstream = gate.add(policy=policy)
        assert isinstance(gate.start(), Ready), gate.said()
        self.clone = gate.clone(self.upstream)
        self.gate.git("init", "-q", "--bare", str(control))

    def writer(self, name: str) -> Writer:
        branch = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
        w = Writer(self.gate, self.clone, branch)
        w.git("checkout", "-q", "-f", "--detach", "origin/main")
        w.git("clean", "-q", "-fdx")
        return w


@pytest.fixture(scope="module")
def at(upstreams: git_ground.Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    place = tmp_path_factory.mktemp("ways")
    with GateGround(upstreams, place) as gate:
        yield Ground(gate, place / "control.git")


def _secret(name: str) -> bytes:
    rule = next(rule for rule in ALL_RULES if rule.name == "github-token")
    return make(rule.positives[0], random.Random(name)).secret


@pytest.mark.parametrize("name", WAYS)
def test_a_secret_does_not_leave(at: Ground, name: str) -> None:
    way, place = WAYS[name]
    secret = _secret(name)
    refspecs = way(at.writer(name), secret)
    before = at.upstream.refs()

    done = at.gate.git("push", "origin", *refspecs, cwd=at.clone)

    assert done.returncode != 0
    assert "github" in done.stderr, (done.stderr, at.gate.said()[-2000:])
    assert place in done.stderr.replace("remote: ", ""), done.stderr
    own = done.stderr.split("\nTo ")[0]  # then the client's git names its refs
    assert secret.decode() not in own and secret.decode() not in at.gate.said()
    assert at.upstream.refs() == before
    assert not at.upstream.holds(secret)

    control = at.gate.git("push", str(at.control), *refspecs, cwd=at.clone)
    assert control.returncode == 0, control.stderr


@pytest.mark.slow
def test_the_same_ways_without_a_secret_pass(at: Ground) -> None:
    """The negative of them all: words of the same length, in most of the places at once."""
    words = b"plain_words_and_nothing_else_in_here"
    for name in (
        "blob",
        "evil merge",
        "tag message",
        "gpgsig",
        "notes",
        "zip",
        "UTF-16",
        "own rules",
        "link",
    ):
        way, _ = WAYS[name]
        refspecs = way(at.writer(f"clean {name}"), words)
        done = at.gate.git("push", "origin", *refspecs, cwd=at.clone)
        assert done.returncode == 0, (name, done.stderr, at.gate.said()[-2000:])
