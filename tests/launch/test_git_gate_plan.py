"""From a manifest's repositories to what the gate is started with; each mistake with file, line and fix."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot_bottle.base.secret import Secret
from bot_bottle.launch import git_programs
from bot_bottle.launch.git_gate import plan_gate, read_ask_timeout
from bot_bottle.launch.git_programs import ProgramMissing, find_gitleaks
from bot_bottle.launch.known import KnownValue
from bot_bottle.launch.plan import Given, PlannedGate
from bot_bottle.manifest.load import load
from bot_bottle.manifest.source import resolve
from bot_bottle.manifest.tree import ManifestError

GIVEN = Given((), {}, {})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a key, its host's key known, and a scanner that is new enough."""
    (tmp_path / ".ssh").mkdir()
    for name in ("key", "host"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True
        )
    known = " ".join((tmp_path / "host.pub").read_text().split()[:2])
    (tmp_path / ".ssh/known_hosts").write_text(f"g.example {known}\n[g.example]:2222 {known}\n")
    monkeypatch.setattr(
        "bot_bottle.launch.git_gate.find_gitleaks", lambda environ: Path("/opt/gitleaks"), raising=True
    )
    return tmp_path


Plan = Callable[..., PlannedGate]


@pytest.fixture
def plan(home: Path) -> Plan:
    def make(
        repos: str, environ: dict[str, str] | None = None, given: Given = GIVEN, more: str = ""
    ) -> PlannedGate:
        bottles = home / ".bot-bottle/bottles"
        bottles.mkdir(parents=True, exist_ok=True)
        (bottles / "dev.md").write_text(f"---\ngit-gate:\n  repos:\n    {repos}\n{more}\n---\n")
        loaded = load(resolve(home, None), None, ("dev",))
        return plan_gate(loaded.bottle, environ or {}, home, given)

    return make


STATIC = "one: {url: 'ssh://git@g.example:2222/o/one.git', key: {provider: static, path: ~/key}}"
TOKEN = "two: {url: 'https://h.example/o/two', key: {provider: token, token_ref: TOK}}"
DEPLOY = "three: {url: 'git@g.example:o/three.git', key: {provider: gitea, token_ref: API}}"
BOTH = {"TOK": "tok-" + "1" * 20, "API": "api-" + "2" * 20}


def test_repositories_become_what_the_gate_serves(plan: Plan, home: Path) -> None:
    """URL as git is given it, host keys, slots, policy; the values apart from it."""
    made = plan(f"{STATIC}\n    {TOKEN}\n    {DEPLOY}", BOTH)
    assert made.plan is not None
    one, two, three = made.plan.spec.repos
    assert (one.url, one.host, one.port, one.user, one.slot) == (
        "ssh://git@g.example:2222/o/one.git", "g.example", 2222, "git", "GATE_KEY_0",
    )  # fmt: skip
    assert one.host_keys == (" ".join((home / "host.pub").read_text().split()[:2]),)
    assert (two.url, two.host_keys) == ("https://h.example/o/two", ())
    assert three.url == "git@g.example:o/three.git"
    secrets = {slot: value.reveal() for slot, value in made.plan.secrets.items()}
    assert secrets == {"GATE_KEY_0": (home / "key").read_text(), "GATE_KEY_1": BOTH["TOK"]}
    (deploy,) = made.plan.deploy
    assert (deploy.slot, deploy.repository, deploy.token.reveal()) == ("GATE_KEY_2", "o/three", BOTH["API"])
    assert made.plan.spec.gitleaks == "/opt/gitleaks"


def test_the_policy_is_the_manifests(plan: Plan) -> None:
    repo = (
        STATIC[:-1]
        + ", allow_refs: [refs/heads/x/*], deny_paths: ['ci/**'], allow_force: true, ask_paths: []}"
    )
    made = plan(repo)
    assert made.plan is not None
    policy = made.plan.spec.repos[0].policy
    assert (policy.allow_refs, policy.deny_paths, policy.ask_paths) == (("refs/heads/x/*",), ("ci/**",), ())
    assert policy.allow_force
    text = "\n".join(made.plan.lines)
    for said in (
        "refs/heads/x/*",
        "ci/**",
        "force-pushes are allowed",
        "are not asked about",
        "every commit is",
    ):
        assert said in text


def test_no_push_may_hold_a_secret_of_either_process(plan: Plan, home: Path) -> None:
    """The gate knows its own, the proxy's tokens, and what the bottle was given."""
    given = Given(
        (KnownValue("CANARY", Secret("c" * 20), "canary"),),
        {"EGRESS_TOKEN_0": Secret("e" * 20)},
        {"EGRESS_TOKEN_0": "API_KEY"},
    )
    made = plan(f"{STATIC}\n    {TOKEN}\n    {DEPLOY}", BOTH, given)
    assert made.plan is not None
    assert {item.name: item.value.reveal() for item in made.plan.known} == {
        "git-gate.repos.one.key": (home / "key").read_text(),
        "TOK": BOTH["TOK"],
        "API": BOTH["API"],
        "API_KEY": "e" * 20,
        "CANARY": "c" * 20,
    }


def test_a_token_that_the_bottle_has_too_may_go_where_its_entry_says(plan: Plan) -> None:
    entry = KnownValue("TOK", Secret(BOTH["TOK"]), "env", ("h.example",))
    made = plan(TOKEN, BOTH, Given((entry,), {}, {}))
    assert made.plan is not None and made.plan.known == (entry,)


def test_no_secret_is_in_what_is_shown_or_logged(plan: Plan, home: Path) -> None:
    made = plan(f"{STATIC}\n    {TOKEN}\n    {DEPLOY}", BOTH)
    assert made.plan is not None
    shown = repr(made) + "".join(made.plan.lines) + repr(made.plan.spec)
    body = (home / "key").read_text().splitlines()[1]
    assert not any(value in shown for value in (*BOTH.values(), body))
    assert str(home / "key") in shown


def test_supervise_off_is_said(plan: Plan) -> None:
    made = plan(STATIC, more="supervise: false")
    assert made.plan is not None and "are refused" in made.plan.lines[-1]


@pytest.mark.parametrize(
    ("repo", "environ", "words"),
    [
        (STATIC.replace("~/key", "~/none"), {}, ("dev.md:4: git-gate.repos.one.key.path: ", "is not there")),
        (STATIC.replace("~/key", "~/key.pub"), {}, ("git-gate.repos.one.key.path: ", "is a public key")),
        (STATIC.replace("g.example", "x.example"), {}, ("dev.md:4: git-gate.repos.one.url: ", "ssh-keyscan")),
        (
            STATIC[:-1] + ", host_key: SHA256:abc}",
            {},
            ("git-gate.repos.one.host_key: ", "must be a public host key"),
        ),
        (TOKEN, {}, ("dev.md:4: git-gate.repos.two.key.token_ref: ", "'TOK' is not set here: export it")),
        (TOKEN, {"TOK": " "}, ("'TOK' is not set here",)),
        (TOKEN, {"TOK": "two words"}, ("'TOK' holds no token",)),
        (TOKEN, {"TOK": "a\nb"}, ("'TOK' holds no token",)),
        (DEPLOY, {}, ("git-gate.repos.three.key.token_ref: ", "'API' is not set here")),
        (DEPLOY.replace("o/three", "three"), BOTH, ("git-gate.repos.three.url: ", "owner/name")),
        (DEPLOY.replace("o/three", "a/b/three"), BOTH, ("git-gate.repos.three.url: ", "owner/name")),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(
    plan: Plan, repo: str, environ: dict[str, str], words: tuple[str, ...]
) -> None:
    with pytest.raises(ManifestError) as caught:
        plan(repo, environ)
    for word in words:
        assert word in str(caught.value)
    assert "two words" not in str(caught.value)


def test_a_pinned_key_needs_no_known_hosts(plan: Plan, home: Path) -> None:
    pinned = (home / "key.pub").read_text().strip()
    made = plan(STATIC.replace("g.example", "x.example")[:-1] + f", host_key: '{pinned}'}}")
    assert made.plan is not None
    assert made.plan.spec.repos[0].host_keys == (" ".join(pinned.split()[:2]),)


def test_a_key_that_others_can_read_warns(plan: Plan, home: Path) -> None:
    (home / "key").chmod(0o640)
    (warning,) = plan(STATIC).warnings
    assert "chmod 600" in warning


@pytest.mark.parametrize(
    ("text", "seconds", "warns"),
    [
        (None, 300, False), ("", 300, False), ("20", 20, False), ("86400", 86400, False), ("0", 300, True),
        ("-1", 300, True), ("1.5", 300, True), ("1e3", 300, True), (" 20", 300, True), ("86401", 300, True),
        ("9" * 5000, 300, True), ("٣", 300, True),
    ],
)  # fmt: skip
def test_the_wait_for_the_operator_is_digits(text: str | None, seconds: int, warns: bool) -> None:
    found, warning = read_ask_timeout(text)
    assert (found, warning is not None) == (seconds, warns)


# -- gitleaks
def fake_gitleaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, options: str = "") -> Path:
    """A script that answers as one; scripts pass here since only these tests look at answers."""
    path = tmp_path / "gitleaks"
    path.write_text(f"#!/bin/sh\ncase $1 in version) echo '{version}';; *) echo '{options}';; esac\n")
    path.chmod(0o755)
    monkeypatch.setattr(git_programs, "_refuse_script", lambda path: None)
    return path


@pytest.mark.parametrize(
    ("version", "options", "good"),
    [
        ("8.20.0", "", True),
        ("v8.26.1", "", True),
        ("9.0.0", "", True),
        ("8.19.3", "--max-decode-depth", False),
        ("7.99", "", False),
        ("version is set by build process", "--max-decode-depth int", True),
        ("version is set by build process", "--verbose", False),
    ],
)
def test_gitleaks_must_decode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, options: str, good: bool
) -> None:
    """8.20 or newer by its number; Debian's build says none, so the option that came with it counts."""
    path = fake_gitleaks(tmp_path, monkeypatch, version, options)
    environ = {"BOT_BOTTLE_GITLEAKS": str(path)}
    if good:
        assert find_gitleaks(environ) == path
    else:
        with pytest.raises(ProgramMissing, match=r"is too old.*install gitleaks 8\.20"):
            find_gitleaks(environ)


def test_gitleaks_is_named_or_on_path_or_in_the_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In that order."""
    clone, on_path = tmp_path / "clone", tmp_path / "bin"
    inside = clone / git_programs.CHECKOUT_GITLEAKS
    for directory in (inside.parent, on_path):
        directory.mkdir(parents=True)
        os.rename(fake_gitleaks(tmp_path, monkeypatch, "8.26.0"), directory / "gitleaks")
    monkeypatch.setattr(git_programs, "_CLONE", clone)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    if git_programs.find_program("gitleaks") is None:  # a host may have one of its own
        assert find_gitleaks({}) == inside
    monkeypatch.setenv("PATH", f"{on_path}:/usr/bin:/bin")
    assert find_gitleaks({}) == on_path / "gitleaks"
    named = fake_gitleaks(tmp_path, monkeypatch, "8.26.0")
    assert find_gitleaks({"BOT_BOTTLE_GITLEAKS": str(named)}) == named


@pytest.mark.parametrize("value", ["gitleaks", "/nowhere/gitleaks", "/etc"])
def test_a_named_gitleaks_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ProgramMissing, match=r"BOT_BOTTLE_GITLEAKS is .*whole path"):
        find_gitleaks({"BOT_BOTTLE_GITLEAKS": value})


def test_a_shim_is_refused(tmp_path: Path) -> None:
    """A version manager's script would run something that the gate's view does not hold."""
    path = tmp_path / "gitleaks"
    path.write_text("#!/bin/sh\nexec somewhere/gitleaks\n")
    path.chmod(0o755)
    with pytest.raises(ProgramMissing, match="is a script"):
        find_gitleaks({"BOT_BOTTLE_GITLEAKS": str(path)})


def test_no_gitleaks_is_refused_with_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_programs, "_CLONE", tmp_path)
    monkeypatch.setattr(git_programs, "find_program", lambda name: None)
    with pytest.raises(ProgramMissing, match=r"no gitleaks here.*scripts/gitleaks.sh.*BOT_BOTTLE_GITLEAKS"):
        find_gitleaks({})
    with pytest.raises(ProgramMissing, match="install git"):
        git_programs.require_git()
    with pytest.raises(ProgramMissing, match="install openssh-client"):
        git_programs.require_ssh()
