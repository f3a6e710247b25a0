"""Invariant: reading a launch record never raises and always gives fields of their declared types."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot_bottle.store.metadata import METADATA_NAME, Metadata, RunPlan, read_metadata, write_metadata
from bot_bottle.store.records import LaunchRecord, read_launch_record, write_launch_record

FULL = Metadata(
    identity="dev", agent_name="dev", cwd="/home/me/caf\udce9", copy_cwd=True,
    started_at="2026-01-02T03:04:05.678Z", backend="bubblewrap", label="My Dev", color="red",
    bottle_names=("b", "a"), provider="command", launch_id="0" * 32, uid=1_900_000_007,
    sidecar_uid=1_900_100_007, workspace_mode="copy", workspace_path="/srv/x", layers=("root", "home"),
    plan=RunPlan(
        argv=("python3", "-c", "1"), task="fix", settings={"argv": ["x"]}, auth_token="TOKEN_NAME",
        auth_kind="api_key", routes_file="/r.yaml", allow=("a.example",), auth=("a.example=Bearer:T",),
        routes=({"host": "a.example"},), env={"A": "1"}, env_from_host={"B": "HOST_B"}, env_asked=("C",),
        connect_to=("a.example:443:127.0.0.1:1",), extra_ca=("/ca.pem",), exclude=("*.log",), workdir="/",
    ),
    version="0.1",
)  # fmt: skip


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Every field survives, a path that is not UTF-8 too; the file is 0600 and nothing else is left."""
    state = tmp_path / "dev"
    write_metadata(state, FULL)
    assert read_metadata(state) == FULL
    assert os.listdir(state) == [METADATA_NAME]
    assert (state / METADATA_NAME).stat().st_mode & 0o777 == 0o600


def test_the_directory_decides_the_identity(tmp_path: Path) -> None:
    """A record that names another bottle is read as this directory's."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / METADATA_NAME).write_text('{"identity": "../other", "label": "x"}')
    assert read_metadata(tmp_path / "mine") == Metadata("mine", label="x")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, Metadata("b")),
        ({"unknown": 1, "label": "x"}, Metadata("b", label="x")),
        ({"label": 3, "copy_cwd": "yes", "cwd": None}, Metadata("b")),
        ({"bottle_names": ["a", 1, None, "b"]}, Metadata("b", bottle_names=("a", "b"))),
        ({"bottle_names": "a"}, Metadata("b")),
        ({"uid": True}, Metadata("b")),
        ({"uid": -1, "sidecar_uid": 0}, Metadata("b")),
        ({"uid": 2**32 - 1}, Metadata("b")),
        ({"plan": []}, Metadata("b")),
        ({"plan": {"argv": ["x", 2], "env": {"A": 1, "B": "2"}}},
         Metadata("b", plan=RunPlan(argv=("x",), env={"B": "2"}))),
        ({"cwd": "a\0b"}, Metadata("b")),
    ],
)  # fmt: skip
def test_damaged_fields_are_their_defaults(tmp_path: Path, record: Any, expected: Metadata) -> None:
    """Old and damaged records keep working: a wrong type is the default, an unknown field nothing."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / METADATA_NAME).write_text(json.dumps(record))
    assert read_metadata(tmp_path / "b") == expected


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b" " * 2_000_000,
     b'{"uid": ' + b"9" * 5000 + b"}", b"NaN"],
)  # fmt: skip
def test_a_damaged_file_is_nothing_recorded(tmp_path: Path, content: bytes) -> None:
    """Not JSON, not an object, too deep, too long."""
    (tmp_path / METADATA_NAME).write_bytes(content)
    (tmp_path / "launch.json").write_bytes(content)
    assert read_metadata(tmp_path) is None
    assert read_launch_record(tmp_path) is None


def test_no_file_no_link_no_fifo_is_read(tmp_path: Path) -> None:
    """A missing file, a link, a directory and a FIFO (which would hang) are nothing recorded."""
    write_metadata(tmp_path / "real", FULL)
    for name in ("missing", "link", "directory", "fifo"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / METADATA_NAME).symlink_to(tmp_path / "real" / METADATA_NAME)
    (tmp_path / "directory" / METADATA_NAME).mkdir()
    os.mkfifo(tmp_path / "fifo" / METADATA_NAME)
    for name in ("missing", "link", "directory", "fifo"):
        assert read_metadata(tmp_path / name) is None, name


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_names = st.sampled_from([*Metadata.__dataclass_fields__, *RunPlan.__dataclass_fields__, "launcher_pid"])
_record = st.dictionaries(_names, _json | st.dictionaries(_names, _json), max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | _record.map(lambda record: json.dumps(record).encode()))
def test_readers_never_raise(tmp_path: Path, content: bytes) -> None:
    """Any bytes, and any JSON under our own field names; what is read writes and reads back the same."""
    (tmp_path / METADATA_NAME).write_bytes(content)
    (tmp_path / "launch.json").write_bytes(content)
    found = read_metadata(tmp_path)
    if found is not None:
        assert isinstance(found.label, str) and isinstance(found.copy_cwd, bool)
        assert all(isinstance(name, str) for name in found.bottle_names)
        write_metadata(tmp_path, found)
        assert repr(read_metadata(tmp_path)) == repr(found)
    record = read_launch_record(tmp_path)
    assert record is None or record.launcher_pid > 0


def test_a_launch_record_knows_its_process(tmp_path: Path) -> None:
    """This process is alive; another start time, another boot or a free pid is not it."""
    record = LaunchRecord.of_this_process("bubblewrap", uid=7, nonce="n")
    write_launch_record(tmp_path, record)
    assert read_launch_record(tmp_path) == record
    assert record.launcher_is_alive()
    other_start = LaunchRecord(record.launcher_pid, record.launcher_start + 1, record.boot_id, "bubblewrap")
    other_boot = LaunchRecord(record.launcher_pid, record.launcher_start, "another", "bubblewrap")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    gone = LaunchRecord(child, record.launcher_start, record.boot_id, "bubblewrap")
    assert not any(past.launcher_is_alive() for past in (other_start, other_boot, gone))
