"""Keys of dead bottles: ``cleanup`` revokes them, and nothing that could still find one is removed before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot_bottle.cli.commands.cleanup import command
from bot_bottle.launch.deploy_keys import DeployKeys
from bot_bottle.launch.reap import reap, remove_kept
from bot_bottle.store import bottles
from bot_bottle.store.deploy_keys import has_deploy_keys
from bot_bottle.store.layout import Layout, default_layout

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: what tests share is found here

from deploy_keys_support import IDENTITY, Ground, ground

Cleanup = Callable[..., Result]


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Of a home and run directory of the test's own, with no backend to ask."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = default_layout()
    mine = Layout(found.home, found.home, tmp_path / "run")
    for name in ("cleanup", "prune"):
        monkeypatch.setattr(f"bot_bottle.cli.commands.{name}.all_backends", lambda layout: {})
    monkeypatch.setattr("bot_bottle.cli.commands.cleanup.default_layout", lambda: mine)
    monkeypatch.setattr("bot_bottle.store.bottles.UidRegistry", _NoUids)
    return mine


class _NoUids:
    """The real registry belongs to the host."""

    @classmethod
    def of(cls, layout: Layout) -> _NoUids:
        return cls()

    def release(self, path: Path) -> None:
        """Nothing was taken."""


@pytest.fixture
def here(tmp_path: Path, layout: Layout) -> Iterator[Ground]:
    """A bottle whose launcher is gone, with a key at the forge."""
    with ground(tmp_path) as made:
        with bottles.create(layout, IDENTITY) as state:
            made.state = state.path
            DeployKeys(state.path, IDENTITY, [made.plan()]).make(lambda _: None)
        yield made


@pytest.fixture
def cleanup(monkeypatch: pytest.MonkeyPatch) -> Cleanup:
    def run(*arguments: str, token: str = "") -> Result:
        monkeypatch.setenv("FORGE_TOKEN", token)
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return result

    return run


def test_cleanup_revokes_and_removes(here: Ground, layout: Layout, cleanup: Cleanup) -> None:
    result = cleanup("--yes", token=here.forge.token)
    assert here.forge.titles() == []
    assert not layout.state(IDENTITY).exists()
    assert f"to be revoked: deploy keys of {IDENTITY}: 'bot-bottle {IDENTITY}: one" in result.stderr
    assert here.forge.token not in result.output + result.stderr


def test_cleanup_leaves_work_and_revokes_its_key(here: Ground, layout: Layout, cleanup: Cleanup) -> None:
    """The key of a bottle that nobody runs is good for nothing; its work is."""
    bottles.preserve(layout, IDENTITY)
    cleanup("--yes", token=here.forge.token)
    assert here.forge.titles() == []
    assert layout.state(IDENTITY).exists() and not has_deploy_keys(layout.state(IDENTITY))


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("arguments", [("--yes",), ("--yes", "--kept"), ("--yes", IDENTITY)])
def test_cleanup_without_the_token_keeps_and_names(
    here: Ground, layout: Layout, cleanup: Cleanup, arguments: tuple[str, ...], kept: bool
) -> None:
    """Even where the bottle was to be removed with its work: nobody could find the key any more."""
    if kept:
        bottles.preserve(layout, IDENTITY)
    result = cleanup(*arguments)
    assert has_deploy_keys(layout.state(IDENTITY))
    assert len(here.forge.titles()) == 1
    for word in ("is not revoked", "id 101", "'FORGE_TOKEN' is not set here: export it"):
        assert word in result.stderr


def test_a_dry_run_asks_no_forge(here: Ground, layout: Layout, cleanup: Cleanup) -> None:
    before = len(here.forge.calls)
    result = cleanup("--dry-run", token=here.forge.token)
    assert "to be revoked" in result.stderr
    assert len(here.forge.calls) == before
    assert has_deploy_keys(layout.state(IDENTITY))


def test_a_bottle_that_runs_keeps_its_key(here: Ground, layout: Layout, cleanup: Cleanup) -> None:
    with bottles.open_for_resume(layout, IDENTITY):
        cleanup("--yes", token=here.forge.token)
        assert len(here.forge.titles()) == 1
    assert has_deploy_keys(layout.state(IDENTITY))


def test_who_reaps_leaves_the_key_to_cleanup(
    here: Ground, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon has no token: the record stays, and so does all that it is found by."""
    assert reap(layout, IDENTITY, {})
    assert has_deploy_keys(layout.state(IDENTITY))
    assert "is kept until its deploy keys are revoked: 'bot-bottle cleanup'" in capsys.readouterr().err


def test_pruning_leaves_a_bottle_with_keys(
    here: Ground, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    bottles.preserve(layout, IDENTITY)
    assert not remove_kept(layout, IDENTITY, {}, still=lambda: True)
    assert has_deploy_keys(layout.state(IDENTITY))
    assert "until its deploy keys are revoked" in capsys.readouterr().err


def test_cleanup_needs_no_forge_where_there_are_no_keys(layout: Layout, cleanup: Cleanup) -> None:
    """And removes as ever."""
    bottles.create(layout, IDENTITY).close()
    cleanup("--yes")
    assert not layout.state(IDENTITY).exists()
