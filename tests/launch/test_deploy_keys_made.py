"""Deploy keys by each forge's documented API: registered for pushing, kept back, revoked; nothing secret is left."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot_bottle.launch.deploy_keys import DeployKeys, generate, revoke_recorded, tokens_of
from bot_bottle.launch.forges import ForgeError, api_of, fingerprint, repository_of
from bot_bottle.manifest.schema import Forge
from bot_bottle.store.deploy_keys import DEPLOY_KEYS_NAME, read_deploy_keys

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from deploy_keys_support import IDENTITY, ground


def silent(_: str) -> None:
    """Nobody is told."""


def test_a_new_pair_is_what_ssh_makes(tmp_path: Path) -> None:
    """ed25519 in OpenSSH's format: ssh-keygen derives the same public half and fingerprint."""
    private, public = generate()
    path = tmp_path / "k"
    path.write_text(private.reveal())
    path.chmod(0o600)
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-P", "", "-f", str(path)], check=True, capture_output=True, text=True
    ).stdout.split()
    assert " ".join(derived[:2]) == public and public.startswith("ssh-ed25519 ")
    (tmp_path / "k.pub").write_text(public + "\n")
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(tmp_path / "k.pub")], check=True, capture_output=True, text=True
    )
    assert shown.stdout.split()[1] == fingerprint(public)
    assert generate()[1] != public


@pytest.mark.parametrize("forge", list(Forge))
def test_a_key_lives_as_long_as_the_bottle(tmp_path: Path, forge: Forge) -> None:
    """Registered with write access under a title that names bottle and repository; gone after the end."""
    with ground(tmp_path, forge) as here:
        keys = DeployKeys(here.state, IDENTITY, [here.plan()])
        keys.make(silent)
        (entry,) = here.forge.keys["owner/name"]
        assert entry.get("can_push", entry.get("read_only") is False) is True
        assert str(entry["title"]).startswith(f"bot-bottle {IDENTITY}: one, ")
        (secret,) = keys.secrets.values()
        assert secret.reveal().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
        assert [(item.name, item.value, item.kind) for item in keys.known] == [
            ("git-gate.repos.one.key", secret, "injected")
        ]
        assert keys.revoke()
        assert here.forge.titles() == []
        assert list(here.state.iterdir()) == []
        assert here.upstream.failures == []


@pytest.mark.parametrize("forge", list(Forge))
def test_the_record_says_what_to_revoke_and_no_secret(tmp_path: Path, forge: Forge) -> None:
    with ground(tmp_path, forge) as here:
        keys = DeployKeys(here.state, IDENTITY, [here.plan()])
        keys.make(silent)
        path = here.state / DEPLOY_KEYS_NAME
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (record,) = read_deploy_keys(here.state)
        (entry,) = here.forge.keys["owner/name"]
        assert (record.id, record.title) == (entry["id"], entry["title"])
        assert record.fingerprint == fingerprint(str(entry["key"]))
        text = path.read_text()
        assert here.forge.token not in text
        (secret,) = keys.secrets.values()
        assert not any(line in text for line in secret.reveal().splitlines()[1:-1])


def test_each_repository_has_a_key_of_its_own(tmp_path: Path) -> None:
    with ground(tmp_path, repositories=("owner/name", "owner/more")) as here:
        keys = DeployKeys(
            here.state, IDENTITY, [here.plan(), here.plan("two", "owner/more", slot="GATE_KEY_1")]
        )
        keys.make(silent)
        assert sorted(keys.secrets) == ["GATE_KEY_0", "GATE_KEY_1"]
        assert keys.secrets["GATE_KEY_0"] != keys.secrets["GATE_KEY_1"]
        assert [len(here.forge.keys[name]) for name in ("owner/name", "owner/more")] == [1, 1]
        assert keys.revoke() and here.forge.titles() == []


def test_a_persons_keys_are_left_alone(tmp_path: Path) -> None:
    with ground(tmp_path) as here:
        here.forge.add("owner/name", "a person's", generate()[1])
        keys = DeployKeys(here.state, IDENTITY, [here.plan()])
        keys.make(silent)
        keys.revoke()
        assert here.forge.titles() == ["a person's"]


def test_a_key_that_a_person_revoked_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ground(tmp_path) as here:
        keys = DeployKeys(here.state, IDENTITY, [here.plan()])
        keys.make(silent)
        here.forge.keys.clear()
        assert keys.revoke()
        assert list(here.state.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_not_found_because_of_the_token_is_not_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A forge answers 404 for a repository that the token may not see: the key may well be there."""
    with ground(tmp_path) as here:
        keys = DeployKeys(here.state, IDENTITY, [here.plan()])
        keys.make(silent)
        here.forge.repositories = ()
        assert not keys.revoke()
        assert len(read_deploy_keys(here.state)) == 1
    said = capsys.readouterr().err
    assert f"bot-bottle {IDENTITY}: one" in said and "id 101" in said and "404" in said


def test_resume_makes_a_new_key_and_revokes_the_old(tmp_path: Path) -> None:
    with ground(tmp_path) as here:
        first = DeployKeys(here.state, IDENTITY, [here.plan()])
        first.make(silent)
        (old,) = first.secrets.values()
        second = DeployKeys(here.state, IDENTITY, [here.plan()])  # the first one's process was killed
        second.make(silent)
        (new,) = second.secrets.values()
        assert new != old
        assert [key["id"] for key in here.forge.keys["owner/name"]] == [102]


def test_a_key_is_found_behind_pages(tmp_path: Path) -> None:
    """A forge may give fewer on a page than it is asked for."""
    with ground(tmp_path, page_cap=3) as here:
        for number in range(10):
            here.forge.add("owner/name", f"person {number}", generate()[1])
        keys = DeployKeys(here.state, IDENTITY, [here.plan()])
        keys.make(silent)
        data = json.loads((here.state / DEPLOY_KEYS_NAME).read_text())
        data["keys"][0]["id"] = 0
        (here.state / DEPLOY_KEYS_NAME).write_text(json.dumps(data))
        assert revoke_recorded(here.state, tokens_of({"FORGE_TOKEN": here.forge.token}))
        assert len(here.forge.titles()) == 10 and not any(
            "bot-bottle" in each for each in here.forge.titles()
        )
        assert here.saw("GET") == 4


@pytest.mark.parametrize(
    ("forge", "api_url", "keys_url"),
    [
        (Forge.GITEA, "https://g.example", "https://g.example/api/v1/repos/o/n/keys"),
        (Forge.FORGEJO, "https://g.example:3000/git/", "https://g.example:3000/git/api/v1/repos/o/n/keys"),
        (Forge.GITEA, "https://g.example/api/v1", "https://g.example/api/v1/repos/o/n/keys"),
        (Forge.GITHUB, "https://github.com", "https://api.github.com/repos/o/n/keys"),
        (Forge.GITHUB, "https://ssh.github.com", "https://api.github.com/repos/o/n/keys"),
        (Forge.GITHUB, "https://api.github.com", "https://api.github.com/repos/o/n/keys"),
        (Forge.GITHUB, "https://hub.example", "https://hub.example/api/v3/repos/o/n/keys"),
        (Forge.GITHUB, "https://hub.example/api/v3", "https://hub.example/api/v3/repos/o/n/keys"),
        (Forge.GITHUB, "https://api.org.ghe.example", "https://api.org.ghe.example/repos/o/n/keys"),
        (Forge.GITLAB, "https://gitlab.com", "https://gitlab.com/api/v4/projects/o%2Fn/deploy_keys"),
        (Forge.GITLAB, "https://altssh.gitlab.com", "https://gitlab.com/api/v4/projects/o%2Fn/deploy_keys"),
        (Forge.GITLAB, "https://l.example/api/v4/", "https://l.example/api/v4/projects/o%2Fn/deploy_keys"),
    ],
)
def test_where_the_api_is(forge: Forge, api_url: str, keys_url: str) -> None:
    assert api_of(forge, api_url, "o/n").keys_url == keys_url


@pytest.mark.parametrize(
    ("forge", "path", "repository"),
    [
        (Forge.GITEA, "o/n.git", "o/n"),
        (Forge.GITHUB, "/o/n", "o/n"),
        (Forge.GITLAB, "g/sub/n.git", "g/sub/n"),
        (Forge.GITEA, "n.git", None),
        (Forge.GITHUB, "a/b/c", None),
        (Forge.GITLAB, "a//c", None),
        (Forge.GITLAB, "n", None),
    ],
)
def test_which_repository_it_is(forge: Forge, path: str, repository: str | None) -> None:
    if repository is None:
        with pytest.raises(ForgeError, match="owner/name"):
            repository_of(forge, path)
    else:
        assert repository_of(forge, path) == repository
