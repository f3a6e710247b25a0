"""Invariant: reading how sessions ended never raises and always gives fields of their declared types."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot_bottle.base import linux
from bot_bottle.cli.conditions import state_of_ended
from bot_bottle.store import endings
from bot_bottle.store.endings import Ending
from bot_bottle.store.files import StoreError
from bot_bottle.store.layout import Layout

FULL = Ending(
    "one", "My One (worker)", "worker", "My One", ("b", "a"), "red", "bubblewrap", "2026-01-02T03:04:05.678Z",
    "2026-01-02T04:04:05.678Z", 0, 3, "/logs/one/x.screen.log", ("kept", "the agent ended with status 3"),
)  # fmt: skip


def test_what_is_written_is_read_back(layout: Layout) -> None:
    """Every field survives; what was seen is forgotten."""
    endings.write(layout, FULL)
    assert endings.read(layout, "one") == FULL
    assert endings.read_all(layout) == [FULL]
    endings.forget(layout, "one")
    endings.forget(layout, "one")
    assert endings.read(layout, "one") is None and endings.read_all(layout) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b"0" * 2_000_000]
)
def test_a_damaged_file_is_nothing(layout: Layout, content: bytes) -> None:
    endings.write(layout, FULL)
    layout.ending("one").write_bytes(content)
    assert endings.read(layout, "one") is None and endings.read_all(layout) == []


def test_other_kinds_of_files(layout: Layout) -> None:
    """A FIFO is not waited for, a link not followed, a name that is none is passed over."""
    endings.write(layout, FULL)
    os.mkfifo(layout.endings / "fifo.json")
    (layout.endings / "link.json").symlink_to(layout.ending("one"))
    (layout.endings / "No Identity!.json").write_bytes(layout.ending("one").read_bytes())
    (layout.endings / "dir.json").mkdir()
    assert endings.read_all(layout) == [FULL]


values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*Ending.__dataclass_fields__, "unknown"]), values, max_size=14))
def test_any_content(layout: Layout, content: dict[str, Any]) -> None:
    """Whatever JSON it is."""
    endings.write(layout, FULL)
    layout.ending("one").write_text(json.dumps(content))
    found = endings.read(layout, "one")
    assert found is not None and found.identity == "one"
    for name in ("name", "agent", "label", "color", "backend", "started_at", "ended_at", "screen"):
        assert isinstance(getattr(found, name), str)
    assert all(isinstance(text, str) for text in (*found.bottles, *found.said))
    assert 0 <= found.exit_status <= 255
    assert found.status is None or 0 <= found.status <= 255
    assert state_of_ended(found) in ("finished", "refused")


@pytest.mark.parametrize(
    ("exit_status", "status", "state"),
    [
        (0, 0, "finished"),
        (0, 3, "finished"),
        (1, None, "refused"),
        (3, None, "refused"),
        (143, None, "finished"),
        (129, None, "finished"),
        (130, None, "finished"),
    ],
)
def test_its_state(exit_status: int, status: int | None, state: str) -> None:
    """What somebody stopped was not refused anything."""
    assert state_of_ended(Ending("one", exit_status=exit_status, status=status)) == state


def _fill(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    while True:
        os.write(fd, b"x" * 512)


def _on_a_small_disk(at: Path, action: Callable[[], None]) -> None:
    """Run *action* in a child that has a file system of 1 MiB at *at*."""
    pid = os.fork()
    if pid == 0:
        try:
            uid, gid = os.geteuid(), os.getegid()
            linux.unshare(linux.CLONE_NEWNS | (linux.CLONE_NEWUSER if uid else 0))
            if uid:
                linux.map_ids(0, uid, 0, gid)
            linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
            linux.mount("tmpfs", at, "tmpfs", 0, "size=1m")
            action()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "see the child's traceback"


def test_a_disk_that_the_bottle_has_filled(tmp_path: Path) -> None:
    """The end finds the room that was put by for it at the start; without that it would not be recorded."""

    def action() -> None:
        home = tmp_path / ".bot-bottle"
        layout = Layout(home, home, tmp_path / "run")
        endings.reserve(layout, "one")
        with pytest.raises(OSError, match="No space left"):
            _fill(home / "filling")
        with pytest.raises(StoreError, match="No space left"):
            endings.write(layout, FULL)
        endings.release(layout, "one")
        endings.release(layout, "one")
        endings.write(layout, FULL)
        assert endings.read(layout, "one") == FULL

    _on_a_small_disk(tmp_path, action)
