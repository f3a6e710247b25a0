"""Logs outlive the state of their bottle, for thirty days, and are the operator's alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bot_bottle.base.ids import BadIdentity
from bot_bottle.store import logs
from bot_bottle.store.files import StoreError
from bot_bottle.store.layout import Layout

DAY_S = 86_400


def test_append_and_latest(layout: Layout) -> None:
    """One file a launch and kind, 0600; two openings append; the newest launch is the latest."""
    assert logs.latest(layout, "dev") is None
    first = logs.new_log(layout, "dev", logs.EGRESS, started_at="2026-01-02T03:04:05.678Z")
    second = logs.new_log(layout, "dev", logs.EGRESS, started_at="2026-01-02T03:04:06.000Z")
    other = logs.new_log(layout, "dev", logs.BOTTLE, started_at="2026-01-02T03:04:07.000Z")
    for path in (second, first, first, other):
        fd = logs.open_log(path)
        assert not os.get_inheritable(fd) and os.get_blocking(fd)
        os.write(fd, b"x\n")
        os.close(fd)
    assert first.read_text() == "x\nx\n"
    assert first.stat().st_mode & 0o777 == 0o600 and first.parent.stat().st_mode & 0o777 == 0o700
    assert logs.latest(layout, "dev") == second
    assert logs.latest(layout, "dev", logs.BOTTLE) == other
    assert logs.list_logs(layout, "dev") == [first, second, other]


def test_only_regular_files_are_opened(layout: Layout, tmp_path: Path) -> None:
    """A link and a FIFO in a log's place are refused; so are other kinds and identities that are paths."""
    path = logs.new_log(layout, "dev", logs.EGRESS)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        logs.open_log(path)
    assert not (tmp_path / "elsewhere").exists()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StoreError):
        logs.open_log(path)
    with pytest.raises(StoreError, match="kind"):
        logs.new_log(layout, "dev", "../x")
    with pytest.raises(BadIdentity):
        logs.new_log(layout, "../dev", logs.EGRESS)
    assert logs.new_log(layout, "dev", logs.EGRESS, started_at="../../x").parent == layout.logs("dev")


def test_prune(layout: Layout, tmp_path: Path) -> None:
    """What was last written more than thirty days ago goes, with directories left empty; no link is
    followed; nothing else is touched."""
    now = time.time()
    paths = {}
    for identity, name, days in (("old", "a", 31), ("mixed", "a", 31), ("mixed", "b", 29)):
        path = logs.new_log(layout, identity, logs.EGRESS, started_at=name)
        os.close(logs.open_log(path))
        os.utime(path, (now - days * DAY_S, now - days * DAY_S))
        paths[identity, name] = path
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.log").write_text("x")
    os.utime(outside / "kept.log", (0, 0))
    (layout.home / "logs" / "link").symlink_to(outside)
    assert logs.prune(layout, now_s=now) == 2
    assert not paths["old", "a"].parent.exists()
    assert paths["mixed", "b"].exists() and not paths["mixed", "a"].exists()
    assert (outside / "kept.log").exists()
    assert logs.prune(layout, now_s=now) == 0
    assert logs.prune(layout, keep_days=7, now_s=now) == 1


def test_a_directory_that_was_just_made_is_left(layout: Layout) -> None:
    """A launch makes it and then opens its log; the daemon that it starts prunes meanwhile. An old one goes."""
    path = logs.new_log(layout, "new", logs.EGRESS)
    old = logs.new_log(layout, "unused", logs.EGRESS).parent
    os.utime(old, (time.time() - DAY_S, time.time() - DAY_S))
    logs.prune(layout)
    os.close(logs.open_log(path))
    assert not old.exists()


def test_prune_without_logs(tmp_path: Path) -> None:
    """Nothing there is nothing to do."""
    assert logs.prune(Layout(tmp_path / "h", tmp_path / "s", tmp_path / "r")) == 0
