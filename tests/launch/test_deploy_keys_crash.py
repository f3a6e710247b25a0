"""A launcher that is killed at any step leaves no key that is not found again, and none is found twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot_bottle.launch.deploy_keys import revoke_recorded, tokens_of
from bot_bottle.manifest.schema import Forge
from bot_bottle.store.deploy_keys import (
    DEPLOY_KEYS_NAME,
    DeployKeyRecord,
    StoreError,
    described,
    read_deploy_keys,
    write_deploy_keys,
)

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from deploy_keys_support import Ground, ground

KILLED = Path(__file__).parent / "deploy_keys_killed.py"


def killed(here: Ground, step: str) -> None:
    arguments = [
        step,
        str(here.state),
        str(here.upstream.port),
        str(here.ca),
        here.forge.forge,
        here.forge.token,
    ]
    done = subprocess.run([sys.executable, str(KILLED), *arguments], timeout=60)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("step", "there", "recorded"),
    [
        ("before the forge is asked", 0, [0]),
        ("before its answer is read", 1, [0]),
        ("while the agent runs", 1, [101]),
        ("before it is struck off", 0, [101]),
    ],
)
@pytest.mark.parametrize("forge", [Forge.GITEA, Forge.GITHUB, Forge.GITLAB])
def test_a_killed_launcher_leaves_what_is_needed(
    tmp_path: Path, forge: Forge, step: str, there: int, recorded: list[int]
) -> None:
    """kill -9 at each step; whoever has the token revokes what there is, and says nothing of what is not."""
    with ground(tmp_path, forge) as here:
        killed(here, step)
        assert len(here.forge.titles()) == there
        assert [key.id for key in read_deploy_keys(here.state)] == recorded
        assert revoke_recorded(here.state, tokens_of({"FORGE_TOKEN": here.forge.token}))
        assert here.forge.titles() == []
        assert not (here.state / DEPLOY_KEYS_NAME).exists()


def test_without_the_token_the_key_is_named_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ground(tmp_path) as here:
        killed(here, "while the agent runs")
        assert not revoke_recorded(here.state, tokens_of({}))
        assert len(here.forge.titles()) == 1
        assert len(read_deploy_keys(here.state)) == 1
    said = capsys.readouterr().err
    for word in (
        "bot-bottle dev-abc12: one",
        "id 101",
        "owner/name",
        "'FORGE_TOKEN' is not set here: export it",
    ):
        assert word in said


RECORD = DeployKeyRecord("gitea", "https://g.example/api/v1", "o/n", "bot-bottle x", "SHA256:x", "T")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"{}", b'{"version": 2, "keys": []}', b'{"version": 1}', b'{"version": 1, "keys": [1]}',
        b'{"version": 1, "keys": [{"id": 1}]}',
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_read_is_kept_and_said(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which keys there are is not known then: a person has to look."""
    (tmp_path / DEPLOY_KEYS_NAME).write_bytes(content)
    with pytest.raises(StoreError, match="revoke the deploy keys of this bottle at the forge"):
        read_deploy_keys(tmp_path)
    assert not revoke_recorded(tmp_path, tokens_of({}))
    assert "can't be read" in capsys.readouterr().err
    assert "can't be read" in described(tmp_path)
    assert (tmp_path / DEPLOY_KEYS_NAME).exists()


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_deploy_keys(tmp_path, [RECORD])
    assert read_deploy_keys(tmp_path) == (RECORD,)
    write_deploy_keys(tmp_path, [])
    write_deploy_keys(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_an_unknown_forge_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A later version's, perhaps."""
    write_deploy_keys(
        tmp_path, [DeployKeyRecord("newforge", "https://g.example", "o/n", "t", "SHA256:x", "T")]
    )
    assert not revoke_recorded(tmp_path, tokens_of({"T": "x" * 20}))
    assert "is not revoked" in capsys.readouterr().err
    assert len(read_deploy_keys(tmp_path)) == 1
