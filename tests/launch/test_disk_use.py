"""What is kept, how large it is, how long it has rested; and that ``prune`` removes what it showed."""

from __future__ import annotations

import os
import time

import pytest

from bot_bottle.launch.disk_use import DAY_S, kept_bottles, last_used_s, shown, sizes_of
from bot_bottle.launch.reap import remove_kept
from bot_bottle.store import bottles, endings, logs
from bot_bottle.store.endings import Ending
from bot_bottle.store.layout import Layout
from bot_bottle.store.metadata import Metadata


@pytest.fixture
def layout(tmp_path) -> Layout:
    made = Layout(tmp_path / "home", tmp_path / "shared", tmp_path / "run")
    for root in (made.shared, made.run):
        root.mkdir()
    return made


def keep(layout: Layout, identity: str, *, days: float, size: int = 0) -> None:
    """A kept bottle that was last used *days* ago."""
    with bottles.create(layout, identity) as state:
        state.write_metadata(Metadata(identity, agent_name="worker", label="L"))
        state.preserve()
        guest = layout.guest(identity) / "home" / "upper"
        guest.mkdir(parents=True)
        (guest / "work").write_bytes(b"x" * size)
        log = logs.new_log(layout, identity, logs.BOTTLE)
        os.close(logs.open_log(log))
    when = time.time() - days * DAY_S
    for path in (*state.path.iterdir(), log, state.path):
        os.utime(path, (when, when))


def test_kept_bottles_by_age(layout) -> None:
    """The longest at rest first; running ones, and those without the marker, are not kept."""
    keep(layout, "young", days=1)
    keep(layout, "old", days=50, size=300_000)
    bottles.create(layout, "unmarked").close()
    with bottles.create(layout, "running") as state:
        state.preserve()
        found = kept_bottles(layout)
    assert [each.identity for each in found] == ["old", "young"]
    now = time.time()
    assert [each.rested(30, now) for each in found] == [True, False]
    assert found[0].disk_bytes >= 300_000 > found[1].disk_bytes > 0


def test_a_log_that_was_written_to_counts_as_use(layout) -> None:
    keep(layout, "one", days=50)
    (log,) = logs.list_logs(layout, "one")
    os.utime(log)
    assert time.time() - last_used_s(layout, "one") < DAY_S


def test_one_that_was_used_meanwhile_stays(layout) -> None:
    """Looked at under the lock; so does one that runs."""
    keep(layout, "one", days=50)
    assert not remove_kept(layout, "one", {}, still=lambda: False)
    with bottles.open_for_resume(layout, "one"):
        assert not remove_kept(layout, "one", {}, still=lambda: True)
    assert layout.state("one").exists()
    endings.write(layout, Ending("one"))
    assert remove_kept(layout, "one", {}, still=lambda: True)
    assert not layout.state("one").exists()
    assert not layout.guest("one").exists()
    assert endings.read_all(layout) == [], "nobody is told to resume what is gone"
    assert not remove_kept(layout, "one", {}, still=lambda: True)


def test_logs_of_bottles_that_run_stay(layout) -> None:
    keep(layout, "one", days=50)
    keep(layout, "two", days=50)
    assert [path.parent.name for path in logs.old(layout, spare={"two"})] == ["one"]
    assert logs.prune(layout, spare={"two"}) == 1
    assert os.listdir(layout.home / "logs") == ["two"]


def test_hostile_layers_are_counted(layout, tmp_path) -> None:
    """Closed directories, links out, names with line ends and tabs."""
    there = tmp_path / "a\tb\n12\tc"
    (there / "closed").mkdir(parents=True)
    (there / "closed" / "file").write_bytes(b"x" * 200_000)
    (there / "link").symlink_to("/usr")
    (there / "closed").chmod(0)
    found = sizes_of({"x": [there], "none": [tmp_path / "gone"], "link": [there / "link"]})
    (there / "closed").chmod(0o700)
    assert 200_000 <= found["x"] < 2_000_000
    assert found["none"] == found["link"] == 0


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "unknown"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (3 * 2**30, "3.0 GiB"),
        (2**41, "2.0 TiB"),
    ],
)
def test_sizes_for_people(size, text) -> None:
    assert shown(size) == text
