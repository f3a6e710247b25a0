"""Two launches never own one state directory; whatever is found on disk, listing goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bot_bottle.base.ids import BadIdentity
from bot_bottle.store import bottles
from bot_bottle.store.guests import prepare_guest
from bot_bottle.store.layout import Layout
from bot_bottle.store.metadata import Metadata
from bot_bottle.store.uids import UidRegistry


def test_create_is_exclusive(layout: Layout) -> None:
    """The second start with one label is told that it runs, and after its end that it is kept."""
    first = bottles.create(layout, "dev")
    with pytest.raises(bottles.IdentityTaken, match="is running") as taken:
        bottles.create(layout, "dev")
    assert taken.value.running
    first.close()
    with pytest.raises(bottles.IdentityTaken, match="bot-bottle resume dev") as taken:
        bottles.create(layout, "dev")
    assert not taken.value.running


def test_one_of_many_starts_wins(layout: Layout) -> None:
    """Eight processes start at once with one label: one gets it, seven are refused."""
    start, go = os.pipe()
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(start, 1)
            status = 3
            try:
                bottles.create(layout, "dev")
                status = 0
            except bottles.IdentityTaken:
                status = 1
            finally:
                os._exit(status)
        children.append(child)
    os.close(go)
    os.close(start)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(ends) == [0] + [1] * 7


def test_running_is_known_by_the_lock(layout: Layout) -> None:
    """True while the launching process lives, False once it is killed; asking takes nothing away."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        held = bottles.create(layout, "dev")
        os.write(tell, b"x")
        signal.pause()
        held.close()
    os.read(ready, 1)
    assert bottles.is_running(layout, "dev")
    with pytest.raises(bottles.BottleRunning):
        bottles.open_for_resume(layout, "dev")
    with pytest.raises(bottles.BottleRunning):
        bottles.remove(layout, "dev")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(tell)
    assert not bottles.is_running(layout, "dev")
    with bottles.open_for_resume(layout, "dev"):
        assert bottles.is_running(layout, "dev")
    assert not bottles.is_running(layout, "dev")
    assert not bottles.is_running(layout, "never")


def test_resume_needs_a_state(layout: Layout) -> None:
    """Nothing recorded, also with a link in its place; an identity that is a path is refused."""
    with pytest.raises(bottles.NoSuchBottle):
        bottles.open_for_resume(layout, "dev")
    layout.states.mkdir(parents=True)
    (layout.states / "dev").symlink_to("/etc")
    with pytest.raises(bottles.NoSuchBottle):
        bottles.open_for_resume(layout, "dev")
    for outside in ("../x", "a/b", "", "-a", "A"):
        with pytest.raises(BadIdentity):
            bottles.create(layout, outside)


def test_the_marker(layout: Layout) -> None:
    """Set, cleared twice, set where no directory is."""
    state = bottles.create(layout, "dev")
    assert not state.is_preserved()
    state.preserve()
    state.preserve()
    assert state.is_preserved() and bottles.is_preserved(layout, "dev")
    state.clear_preserve()
    state.clear_preserve()
    assert not state.is_preserved()
    bottles.preserve(layout, "other")
    assert bottles.is_preserved(layout, "other")


def test_listing_passes_over_what_is_no_state(layout: Layout) -> None:
    """Files, links, bad names and damaged records don't keep the others from being listed."""
    assert bottles.list_states(layout) == []
    good = bottles.create(layout, "good")
    good.write_metadata(Metadata("good", label="Good"))
    bottles.create(layout, "empty").close()
    bottles.preserve(layout, "kept")
    (layout.states / "a-file").write_text("x")
    (layout.states / "a-link").symlink_to(good.path)
    (layout.states / "Bad Name").mkdir()
    broken = bottles.create(layout, "broken")
    (broken.path / "metadata.json").mkdir()
    (broken.path / "lock").unlink()
    os.mkfifo(broken.path / "lock")
    listed = {summary.identity: summary for summary in bottles.list_states(layout)}
    assert sorted(listed) == ["broken", "empty", "good", "kept"]
    assert listed["good"].running and listed["good"].metadata == Metadata("good", label="Good")
    assert listed["kept"].preserved and not listed["kept"].running
    assert listed["broken"].metadata is None and not listed["broken"].running


def test_remove_takes_state_guest_and_sockets(own_layout: Layout) -> None:
    """All of the bottle is gone and its name free; a second removal is no error; the logs stay."""
    layout = own_layout
    state = bottles.create(layout, "dev")
    dirs = prepare_guest(layout, "dev", None)
    (dirs.home_upper / "work.txt").write_text("x")
    (dirs.sockets / "proxy.sock").write_text("")
    dirs.exec_socket.write_text("")
    layout.logs("dev").mkdir(parents=True)
    assert state.remove() == ()
    assert state.remove() == ()
    for path in (state.path, dirs.base, dirs.sockets, dirs.exec_socket):
        assert not os.path.lexists(path)
    assert layout.logs("dev").is_dir()
    assert bottles.remove(layout, "dev") == ()
    bottles.create(layout, "dev").close()


def test_a_removal_that_was_cut_off(own_layout: Layout) -> None:
    """A guest directory without a state is an orphan; what was set aside is swept; a new bottle of the
    same name doesn't inherit the old one's home."""
    layout = own_layout
    state = bottles.create(layout, "dev")
    dirs = prepare_guest(layout, "dev", None)
    (dirs.home_upper / ".bashrc").write_text("old")
    os.rename(state.path, layout.states / ".removing-dev-00000000")
    state.close()
    assert bottles.orphans(layout) == ["dev"]
    assert bottles.list_states(layout) == []
    with bottles.create(layout, "dev"):
        assert not os.path.lexists(dirs.base)
    assert bottles.orphans(layout) == []
    assert bottles.sweep(layout) == ()
    assert not [name for name in os.listdir(layout.states) if name.startswith(".removing")]
    bottles.remove(layout, "dev")
    prepare_guest(layout, "lost", None)
    assert bottles.orphans(layout) == ["lost"]
    assert bottles.remove(layout, "lost") == ()
    assert bottles.orphans(layout) == []


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: uids are claimed by root alone")
def test_remove_gives_the_uids_back(layout: Layout) -> None:
    """A claim lives as long as its state directory."""
    state = bottles.create(layout, "dev")
    registry = UidRegistry.of(layout)
    registry.claim(state.path, layout.guest("dev"))
    assert registry.find(state.path) is not None
    state.remove()
    assert registry.find(state.path) is None


def test_the_home_may_be_a_link(tmp_path: Path) -> None:
    """An operator who keeps ~/.bot-bottle on another disk can work."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    layout = Layout(tmp_path / "link", tmp_path / "link", tmp_path / "run")
    with bottles.create(layout, "dev") as state:
        assert state.path.is_dir()
    assert (tmp_path / "disk").stat().st_mode & 0o777 == 0o700


def test_a_removal_spares_what_became_work_meanwhile(layout: Layout) -> None:
    """The marker is looked at under the lock: whoever listed the bottle before has no say."""
    bottles.create(layout, "a").close()
    assert not bottles.is_preserved(layout, "a")
    bottles.preserve(layout, "a")
    with pytest.raises(bottles.BottleKept):
        bottles.remove(layout, "a", spare_kept=True)
    assert layout.state("a").is_dir()
    assert not bottles.is_running(layout, "a")
    assert bottles.remove(layout, "a") == ()
    assert not layout.state("a").exists()
