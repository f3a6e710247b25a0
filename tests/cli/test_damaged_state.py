"""Invariant: whatever lies in a state directory, the commands that read state list it or pass it over; none raises,
waits or follows a link."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot_bottle.cli.kept import resumable
from bot_bottle.cli.main import cli
from bot_bottle.launch.disk_use import kept_bottles
from bot_bottle.store import bottles, endings
from bot_bottle.store.bottles import LOCK_NAME, PHASE_NAME, PHASES, PRESERVE_NAME
from bot_bottle.store.endings import RESERVE_NAME
from bot_bottle.store.layout import Layout, default_layout
from bot_bottle.store.metadata import METADATA_NAME, Metadata, write_metadata
from bot_bottle.store.records import LAUNCH_RECORD_NAME

NAMES = (LOCK_NAME, METADATA_NAME, LAUNCH_RECORD_NAME, PRESERVE_NAME, PHASE_NAME, RESERVE_NAME, "transcript")
PIECES = (
    b'{"',
    b'label": "',
    b"}",
    b"[",
    b"1e999",
    b"null",
    b"\xff",
    b"\x1b[2J",
    b"running",
    b'{"uid": -1}',
    b"\0",
)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    found = default_layout()
    found.states.mkdir(parents=True)
    write_metadata(
        found.state("whole"), Metadata("whole", agent_name="worker", started_at="2026-01-02T03:04:05Z")
    )
    return found


def _link(path: Path) -> None:
    path.symlink_to("/proc/self/environ")


MAKERS: dict[str, Callable[[Path], object]] = {
    "directory": Path.mkdir,
    "FIFO": os.mkfifo,
    "link": _link,
    "link to itself": lambda path: path.symlink_to(path.name),
}

content = st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join) | st.binary(max_size=40)
entries = st.dictionaries(
    st.sampled_from(NAMES), content | st.sampled_from(sorted(MAKERS)), max_size=len(NAMES)
)


def _damage(directory: Path, found: dict[str, bytes | str]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name, what in found.items():
        if isinstance(what, bytes):
            (directory / name).write_bytes(what)
        else:
            MAKERS[what](directory / name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(entries)
def test_whatever_lies_there(layout: Layout, found: dict[str, bytes | str]) -> None:
    """Read as a bottle of which little is known; the whole one beside it is read whole."""
    _damage(layout.state("damaged"), found)
    damaged, whole = bottles.list_states(layout)
    assert (damaged.identity, whole.identity) == ("damaged", "whole")
    assert not damaged.running and damaged.phase in ("", *PHASES)
    assert damaged.preserved is (PRESERVE_NAME in found)
    assert whole.metadata is not None and whole.metadata.agent_name == "worker"
    assert "whole" in {state.identity for state in resumable(layout)}
    assert {kept.summary.identity for kept in kept_bottles(layout)} <= {"damaged"}
    for command in (["list", "active", "--json"], ["list", "kept", "--json"], ["list", "kept"]):
        done = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        if command[-1] == "--json":
            assert isinstance(json.loads(done.stdout), list)
        else:
            assert "\x1b" not in done.stdout


def test_an_ending_without_its_bottle(layout: Layout) -> None:
    """Listed by what it says itself, and never more than its own file's name claims."""
    endings.write(layout, endings.Ending("other", "\x1b[2Jname", exit_status=143))
    layout.ending("other").rename(layout.ending("one"))
    (record,) = json.loads(CliRunner().invoke(cli, ["list", "active", "--json"]).stdout)
    assert (record["identity"], record["state"]) == ("one", "finished")
    assert "\x1b" not in CliRunner().invoke(cli, ["list", "active"]).stdout
