"""Removal deletes a hostile tree whole, and nothing outside of it."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot_bottle.store.removal import remove_tree

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: makes files of other uids")
AsUser = Callable[[Callable[[], None]], None]


def _chain(top: Path, levels: int) -> None:
    """Directories nested *levels* deep, a file in each; made from the inside, no path is ever long."""
    here = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        os.close(os.open("f", os.O_WRONLY | os.O_CREAT, dir_fd=here))
        deeper = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)


@pytest.mark.parametrize("kind", ["nothing", "file", "link", "dangling", "fifo", "empty"])
def test_whatever_is_there(tmp_path: Path, kind: str) -> None:
    """A missing path, a file, links, a FIFO and an empty directory; what a link names stays."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    path = tmp_path / "x"
    make: dict[str, Callable[[], object]] = {
        "nothing": lambda: None, "file": lambda: path.write_text("x"), "link": lambda: path.symlink_to(kept),
        "dangling": lambda: path.symlink_to("/nowhere"), "fifo": lambda: os.mkfifo(path), "empty": path.mkdir,
    }  # fmt: skip
    make[kind]()
    assert remove_tree(path) == ()
    assert not os.path.lexists(path)
    assert (kept / "file").read_text() == "x"
    assert remove_tree(tmp_path / "no" / "such" / "parent") == ()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Links to a directory, to a file and out of the tree are deleted, their targets stay."""
    kept = tmp_path / "kept"
    (kept / "sub").mkdir(parents=True)
    (kept / "sub" / "file").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "a" / "up").symlink_to("../../kept")
    (tree / "a" / "dir").symlink_to(kept / "sub")
    (tree / "a" / "file").symlink_to(kept / "sub" / "file")
    os.link(kept / "sub" / "file", tree / "a" / "hard")
    assert remove_tree(tree) == ()
    assert not tree.exists()
    assert (kept / "sub" / "file").read_text() == "x"


def test_depth_needs_no_descriptors(tmp_path: Path) -> None:
    """5,000 levels go with 64 descriptors."""
    tree = tmp_path / "tree"
    tree.mkdir()
    _chain(tree, 5000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        assert remove_tree(tree) == ()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not tree.exists()


def test_wide_and_full_of_directories(tmp_path: Path) -> None:
    """Thousands of names in one directory, directories with directories among them; odd names."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(3000):
        os.close(os.open(tree / f"f{number}", os.O_WRONLY | os.O_CREAT))
    for number in range(200):
        (tree / f"d{number}" / "d" / ".removing-0" / "d").mkdir(parents=True)
    (tree / ".removing-0" / "x").mkdir(parents=True)
    os.mkdir(os.fsencode(tree) + b"/\xff\n\x1b[2J")
    assert remove_tree(tree) == ()
    assert not tree.exists()


def test_directories_without_permissions(open_tmp: Path, as_user: AsUser) -> None:
    """An ordinary user deletes his own directories of mode 000, one in the other."""

    def step() -> None:
        tree = open_tmp / "tree"
        (tree / "a" / "b" / "c").mkdir(parents=True)
        (tree / "a" / "b" / "file").write_text("x")
        for path in (tree / "a" / "b" / "c", tree / "a" / "b", tree / "a", tree):
            path.chmod(0)
        assert remove_tree(tree) == ()
        assert not os.path.lexists(tree)

    as_user(step)


@pytest.mark.root
@needs_root
def test_what_belongs_to_others_is_reported(open_tmp: Path, as_user: AsUser) -> None:
    """An ordinary user is told what stays; the rest goes. Root deletes other uids' files."""
    tree = open_tmp / "tree"
    foreign = tree / "foreign"
    foreign.mkdir(parents=True)
    (foreign / "file").write_text("x")
    (tree / "own").mkdir()
    (tree / "own" / "file").write_text("x")
    for path in (tree, tree / "own", tree / "own" / "file"):
        os.chown(path, 65_534, 65_534)

    def step() -> None:
        problems = remove_tree(tree)
        assert problems and any("file" in problem for problem in problems)
        assert os.listdir(tree) == ["foreign"]

    as_user(step)
    os.chown(foreign, 1_900_000_001, 1_900_000_001)
    foreign.chmod(0)
    assert remove_tree(tree) == ()
    assert not tree.exists()


@pytest.mark.root
@needs_root
def test_an_immutable_file_is_reported(tmp_path: Path) -> None:
    """What even root can't delete is named, everything beside it goes, and it ends."""
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "b" / "c").mkdir(parents=True)
    stuck = tree / "a" / "stuck"
    stuck.write_text("x")
    flags_set = subprocess.run(["chattr", "+i", str(stuck)], capture_output=True, check=False).returncode
    if flags_set != 0:
        pytest.skip("the file system has no immutable flag")
    try:
        problems = remove_tree(tree)
        assert any(problem.startswith("stuck: ") for problem in problems)
        assert os.listdir(tree) == ["a"] and os.listdir(tree / "a") == ["stuck"]
    finally:
        subprocess.run(["chattr", "-i", str(stuck)], check=True)
    assert remove_tree(tree) == ()
    assert not tree.exists()


def test_an_open_lock_inside_is_no_obstacle(tmp_path: Path) -> None:
    """A state directory is deleted while its lock is held by the deleting process."""
    (tmp_path / "s").mkdir()
    with open(tmp_path / "s" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert remove_tree(tmp_path / "s") == ()
