"""Settings survive the way to the gate's process unchanged, and nothing unknown is read."""

from __future__ import annotations

import msgspec
import pytest

from bot_bottle.gitgate.config import GateRepo, GateSpec, Lfs, RepoPolicy, UrlScheme

SPEC = GateSpec(
    repos=(
        GateRepo(
            name="a",
            url="ssh://git@h.example:2222/t/a.git",
            scheme=UrlScheme.SSH,
            host="h.example",
            port=2222,
            user="git",
            path="t/a.git",
            host_keys=("ssh-ed25519 AAAA",),
            slot="GATE_KEY_0",
            policy=RepoPolicy(ask_paths=(), lfs=Lfs.POINTERS, deny_refs=("refs/heads/main",)),
        ),
        GateRepo(
            name="b",
            url="https://h.example/b",
            scheme=UrlScheme.HTTPS,
            host="h.example",
            path="b",
            slot="GATE_KEY_1",
        ),
    ),
    gitleaks="/opt/gitleaks",
)


def test_a_spec_comes_out_of_json_as_it_went_in():
    assert msgspec.json.decode(msgspec.json.encode(SPEC), type=GateSpec) == SPEC


def test_no_list_of_paths_to_ask_about_is_not_an_empty_one():
    first, second = msgspec.json.decode(msgspec.json.encode(SPEC), type=GateSpec).repos
    assert (first.policy.ask_paths, second.policy.ask_paths) == ((), None)


@pytest.mark.parametrize("at", ["", "repos/0", "repos/0/policy"])
def test_unknown_keys_are_errors(at):
    raw = msgspec.to_builtins(SPEC)
    node = raw
    for step in filter(None, at.split("/")):
        node = node[int(step)] if step.isdigit() else node[step]
    node["more"] = 1
    with pytest.raises(msgspec.ValidationError, match="more"):
        msgspec.convert(raw, GateSpec, strict=False)
