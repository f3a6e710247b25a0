"""A whole launch plan of a bottle with repositories: what is put inside, what the proxy is told, what is shown."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bot_bottle.cli import preflight
from bot_bottle.cli.launching import Ready
from bot_bottle.launch.prepare import Host, Prepared, prepare
from bot_bottle.launch.request import LaunchRequest
from bot_bottle.providers.contract import GUEST_HOME
from bot_bottle.store.layout import Layout

BOTTLE = """---
agent_provider: {{template: command, settings: {{argv: ["true"]}}}}
{more}
git-gate:
  user: {{name: A, email: a@b.example}}
  repos:
    one: {{url: "ssh://git@g.example:2222/o/one.git", key: {{provider: static, path: ~/key}}, host_key: "{public}",
          deny_refs: [refs/heads/release/*], deny_paths: [ci/**]}}
    two: {{url: "https://h.example/o/two", key: {{provider: token, token_ref: TOK}}}}
    three: {{url: "git@g.example:o/three", key: {{provider: gitea, token_ref: API}}, host_key: "{public}"}}
---
"""
ENVIRON = {"TOK": "tok-" + "1" * 20, "API": "api-" + "2" * 20}


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot_bottle.launch.git_gate.find_gitleaks", lambda environ: Path("/opt/gitleaks"))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    home = tmp_path / ".bot-bottle"
    layout = Layout(home, home, tmp_path / "run")

    def make(more: str = "") -> Prepared:
        shutil.rmtree(home, ignore_errors=True)
        (home / "bottles").mkdir(parents=True)
        (home / "bottles/dev.md").write_text(BOTTLE.format(public=public, more=more))
        host = Host(layout, ENVIRON, ask=lambda _: "", progress=lambda _: None)
        return prepare(LaunchRequest(bottles=("dev",)), host)

    return make


def test_git_is_sent_to_the_gate(prepared) -> None:
    """By its configuration, whose address the environment has too."""
    plan = prepared().plan
    (config,) = [file for file in plan.files if file.path == GUEST_HOME / ".gitconfig"]
    text = config.content.decode()
    assert text.count('[url "http://127.0.0.1:9418/') == 3
    assert '\tinsteadOf = "https://h.example/o/two"\n' in text
    assert plan.env["GIT_GATE_URL"] == "http://127.0.0.1:9418"


def test_the_proxy_is_not_told_the_gates_keys(prepared, tmp_path: Path) -> None:
    """Nor is the bottle: not by a variable, a file or an argument."""
    plan = prepared().plan
    assert [item.kind for item in plan.known] == ["canary"]
    secrets = [*ENVIRON.values(), (tmp_path / "key").read_text().splitlines()[1]]
    given = [*plan.env.values(), *plan.provider.argv, *(file.content.decode() for file in plan.files)]
    assert not any(secret in text for secret in secrets for text in given)
    assert plan.gate is not None
    assert {item.name for item in plan.gate.known} > {"git-gate.repos.one.key", "TOK", "API"}


def test_without_repositories_there_is_nothing_of_it(prepared, tmp_path: Path) -> None:
    prepared()
    (tmp_path / ".bot-bottle/bottles/dev.md").write_text(
        "---\nagent_provider: {template: command, settings: {argv: ['true']}}\n---\n"
    )
    host = Host(
        Layout(tmp_path / ".bot-bottle", tmp_path / ".bot-bottle", tmp_path / "run"), {}, ask=lambda _: ""
    )
    plan = prepare(LaunchRequest(bottles=("dev",)), host).plan
    assert plan.gate is None and plan.files == () and "GIT_GATE_URL" not in plan.env


@pytest.mark.parametrize(
    ("more", "asking"), [("", "wait up to 300 s for you"), ("supervise: false", "supervise is off")]
)
def test_the_preflight_says_what_is_served(prepared, capsys, tmp_path: Path, more: str, asking: str) -> None:
    """Which repositories, with which key, where pushes may go, and that they are scanned; no value."""
    made = prepared(more)
    preflight.show(Ready(LaunchRequest(bottles=("dev",)), made, "dev-abc12"))
    shown = capsys.readouterr().err
    for words in (
        "# repositories that the git gate serves:",
        f"one: ssh://git@g.example:2222/o/one.git, with the ed25519 key {tmp_path}/key",
        "pushes to refs/heads/*, refs/tags/*, not to refs/heads/release/*; every commit is scanned first",
        "may not touch ci/**",
        "two: https://h.example/o/two, with the token in TOK",
        "three: git@g.example:o/three, with a deploy key of this launch alone, registered at gitea with API",
        asking,
    ):
        assert words in shown
    assert not any(value in shown for value in ENVIRON.values())
    assert "the git gate, approvals" not in shown
