"""Directories are made with the modes that keep others out, and only ones that are certainly ours are used."""

from __future__ import annotations

import os

import pytest

from bot_bottle.store.directories import UnsafeDirectory, make, make_parent, prepare
from bot_bottle.store.layout import Layout, default_layout

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="giving a directory away needs root")


def mode(path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.fixture(autouse=True)
def loose_umask():
    old = os.umask(0)
    yield
    os.umask(old)


def test_everything_is_made_once_and_again(tmp_path):
    layout = Layout(tmp_path / "h" / ".bot-bottle", tmp_path / "var" / "s", tmp_path / "run" / "r")
    for _ in range(2):
        prepare(layout)
    passage = 0o711 if os.geteuid() == 0 else 0o700
    found = {
        path.name: mode(path) for path in (layout.home, layout.states, layout.run / "x", layout.run / "s")
    }
    assert set(found.values()) == {0o700}
    assert {mode(path) for path in (layout.run, layout.run / "b", layout.shared, layout.guests)} == {passage}


def test_modes_do_not_depend_on_the_umask(tmp_path):
    os.umask(0o777)
    make(tmp_path / "a", 0o711)
    assert mode(tmp_path / "a") == 0o711


def test_a_directory_of_ours_that_others_could_only_read_is_tightened(tmp_path):
    (tmp_path / "a").mkdir(mode=0o755)
    make(tmp_path / "a", 0o700)
    assert mode(tmp_path / "a") == 0o700


@pytest.mark.parametrize("bits", [0o777, 0o770, 0o1777])
def test_a_directory_that_others_could_write_is_refused(tmp_path, bits):
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(bits)
    with pytest.raises(UnsafeDirectory, match="writable for others"):
        make(tmp_path / "a", 0o700)


def test_a_link_or_a_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(UnsafeDirectory, match="not a directory of ours"):
            make(tmp_path / name, 0o700)


@ROOT_ONLY
def test_another_users_directory_is_refused(tmp_path):
    (tmp_path / "a").mkdir(mode=0o700)
    os.chown(tmp_path / "a", 65534, 65534)
    for check in (make, make_parent):
        with pytest.raises(UnsafeDirectory, match="belongs to uid 65534"):
            check(tmp_path / "a", 0o700)


def test_a_sticky_parent_will_do_and_a_loose_one_will_not(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o1777)
    make_parent(tmp_path / "a", 0o700)
    (tmp_path / "a").chmod(0o777)
    with pytest.raises(UnsafeDirectory):
        make_parent(tmp_path / "a", 0o700)


def test_an_operator_may_keep_the_home_behind_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / ".bot-bottle").symlink_to("elsewhere")
    layout = Layout(tmp_path / ".bot-bottle", tmp_path / ".bot-bottle", tmp_path / "r")
    prepare(layout)
    assert mode(tmp_path / "elsewhere" / "state") == 0o700


def test_the_longest_paths_of_sockets_fit(monkeypatch):
    """A 90-character HOME, a long runtime directory and the longest identity stay within 107 bytes."""
    monkeypatch.setenv("HOME", "/home/" + "h" * 84)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/4294967294")
    layout = default_layout()
    longest = "b" * 40
    paths = (
        layout.sockets(longest) / "proxy.sock",
        layout.exec_socket(longest),
        layout.run / ".controller.sock",
    )
    for path in paths:
        assert len(os.fsencode(path)) <= 107
