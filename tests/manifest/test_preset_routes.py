"""Presets are written out by a launch and by ``proxy``; what can't be is an error with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot_bottle.egress.preset_keys import without_presets
from bot_bottle.egress.presets.registries import REGISTRIES
from bot_bottle.launch.policy import PolicyError
from bot_bottle.launch.routes_file import read_routes_file
from bot_bottle.manifest.load import load
from bot_bottle.manifest.preset_routes import bottle_routes, gate_repos
from bot_bottle.manifest.problems import bottle_problems
from bot_bottle.manifest.schema import Bottle
from bot_bottle.manifest.source import resolve
from bot_bottle.manifest.tree import ManifestError

GATE = """\
git-gate:
  repos:
    one: {url: "git@github.com:owner/one.git", key: {provider: static, path: ~/key}}
    two: {url: "https://github.com/owner/two", key: {provider: token, token_ref: T}}
    own: {url: "ssh://git@git.example.com:2222/team/own.git", key: {provider: static, path: ~/key}}
    odd: {url: "git@git.example.com:alone.git", key: {provider: static, path: ~/key}}
"""


@pytest.fixture
def bottle(tmp_path: Path):
    def made(text: str) -> Bottle:
        file = tmp_path / ".bot-bottle/bottles/b.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\n{text}---\n")
        return load(resolve(tmp_path, None), None, ("b",)).bottle

    return made


def test_a_bottles_presets(bottle):
    """In their place among its other routes."""
    made = bottle_routes(bottle("egress: {routes: [{host: a.example}, {preset: pypi}, {host: b.example}]}\n"))
    public = [host.host for host in REGISTRIES["pypi"].access["read"]]
    assert [route.host for route in made] == ["a.example", *public, "b.example"]
    assert all(route.preset is None for route in made)


def test_without_presets_nothing_changes(bottle):
    """And nothing is read for them."""
    routes = bottle("egress: {routes: [{host: a.example}]}\n").egress.routes
    assert without_presets(routes) == routes


def test_repositories_of_the_gate(bottle):
    """By host, as owner and name; what has no owner can't be named so."""
    made = bottle(GATE + "egress: {routes: [{preset: github}, {preset: gitea, host: git.example.com}]}\n")
    assert gate_repos(made) == {
        "github.com": ("owner/one", "owner/two"),
        "git.example.com": ("team/own",),
    }
    paths = {path.value for route in bottle_routes(made) for match in route.matches for path in match.paths}
    assert "/owner/one.git/info/refs" in paths
    assert "/api/v1/repos/team/own" in paths
    assert not any("alone" in path for path in paths)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("egress:\n  routes:\n  - {preset: pypi}\n  - {preset: github}\n", 5, "name them under 'repos'"),
        (
            "egress:\n  routes:\n  - {preset: github, repos: [o/r]}\n  - host: github.com\n",
            5,
            "the preset 'github' (routes[0]) opens too",
        ),
        ("egress:\n  routes:\n  - preset: nmp\n", 4, "must be one of anthropic, crates, debian"),
        ("egress:\n  routes:\n  - preset: npm\n    access: write\n", 5, "must be of read, not 'write'"),
    ],
)
def test_mistakes_have_their_line(bottle, text, line, words):
    """Of the manifest, with the names that there are."""
    with pytest.raises(ManifestError) as caught:
        bottle_routes(bottle(text))
    assert caught.value.line == line
    assert words in str(caught.value)


def test_validate_sees_what_a_launch_refuses(bottle, tmp_path):
    """Also what shows only when presets are written out."""
    bottle("egress:\n  routes:\n  - {preset: pypi}\n  - {preset: github}\n")
    (problem,) = bottle_problems(resolve(tmp_path, None), "b")
    assert (problem.line, problem.key) == (5, "egress.routes[1].repos")


def test_a_routes_file(tmp_path):
    """The same for ``proxy`` and ``--routes``."""
    file = tmp_path / "routes.yaml"
    file.write_text("routes:\n- host: a.example\n- preset: go\n  access: cached\n")
    policy, _ = read_routes_file(file)
    assert [route.preset for route in policy.routes] == [None, None]
    for text, line, words in (
        ("routes:\n- preset: npm\n- host: a.example\n- preset: npm\n", 4, "the preset 'npm' (routes[0])"),
        ("routes:\n- preset: gitlab\n", 2, "name them under 'repos'"),
        ("routes:\n- preset: golang\n", 2, "must be one of anthropic"),
    ):
        file.write_text(text)
        with pytest.raises(PolicyError) as caught:
            read_routes_file(file)
        assert str(caught.value).startswith(f"{file}:{line}: ")
        assert words in str(caught.value)
