"""What of a hostile, changing directory comes into a bottle: plain files and links, nothing from elsewhere."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from bot_bottle.launch import workspace_copy
from bot_bottle.launch.workspace import (
    CopyReport,
    WorkspaceError,
    WorkspaceTooLarge,
    copy_in,
    plan_workspace,
)
from bot_bottle.store.removal import remove_tree

NO_HOME = Path("/nonexistent/home")


def _copy(source: Path, lower: Path, *exclude: str, limit: int = 10**9, uid: int | None = None) -> CopyReport:
    lower.mkdir(exist_ok=True)
    return copy_in(plan_workspace(source, "copy", exclude, NO_HOME), lower, uid, limit_bytes=limit)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    (path / "sub" / "deeper").mkdir(parents=True)
    (path / "a.txt").write_text("hello")
    (path / "sub" / "deeper" / "b.txt").write_text("world")
    return path


def test_none_copies_nothing(tmp_path: Path) -> None:
    """Without a workspace nothing is looked at."""
    plan = plan_workspace(Path("/no/such"), "none")
    assert copy_in(plan, tmp_path / "nowhere", None) == CopyReport()


@pytest.mark.parametrize("mode", ["mount", "overlay", ""])
def test_other_modes_are_refused(source: Path, mode: str) -> None:
    """A mode that is not built is an error, not a copy."""
    with pytest.raises(WorkspaceError, match="not enforced by this version"):
        plan_workspace(source, mode)


def test_home_and_what_contains_it_are_refused(tmp_path: Path) -> None:
    """The home, its parents, ``/``, a link to it, our own state, a file, nothing at all (ruling 30)."""
    home = tmp_path / "home"
    (home / ".bot-bottle" / "state").mkdir(parents=True)
    (home / "project").mkdir()
    (home / "file").write_text("x")
    (tmp_path / "link").symlink_to(home)
    refused = [home, tmp_path, Path("/"), tmp_path / "link", home / "project" / "..", home / ".bot-bottle",
               home / ".bot-bottle" / "state", home / "file", home / "missing"]  # fmt: skip
    for path in refused:
        with pytest.raises(WorkspaceError):
            plan_workspace(path, "copy", (), home)
    assert plan_workspace(home / "project", "copy", (), home).source == home / "project"


def test_content_modes_and_times(source: Path, tmp_path: Path) -> None:
    """Content, permissions and times stay; setuid, setgid and sticky bits go; hard links are broken."""
    os.chmod(source / "a.txt", 0o6754)
    os.chmod(source / "sub", 0o3777)
    os.utime(source / "a.txt", ns=(10**18, 10**18 + 7))
    os.link(source / "a.txt", source / "hard.txt")
    report = _copy(source, tmp_path / "l")
    copy = tmp_path / "l" / "a.txt"
    assert copy.read_text() == "hello" and (tmp_path / "l" / "hard.txt").read_text() == "hello"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o754 and copy.stat().st_nlink == 1
    assert copy.stat().st_mtime_ns == 10**18 + 7
    assert stat.S_IMODE((tmp_path / "l" / "sub").stat().st_mode) == 0o777
    assert (report.files, report.bytes, report.left_out_count) == (3, 15, 0)


def test_links_are_copied_as_links(source: Path, tmp_path: Path) -> None:
    """Into the tree, out of it, dangling, to a directory: none is followed."""
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "file").write_text("topsecret")
    for name, target in (
        ("in", "a.txt"),
        ("out", "../outside/file"),
        ("dir", str(secret)),
        ("gone", "nowhere"),
    ):
        (source / name).symlink_to(target)
    _copy(source, tmp_path / "l")
    lower = tmp_path / "l"
    assert [os.readlink(lower / name) for name in ("in", "out", "gone")] == [
        "a.txt",
        "../outside/file",
        "nowhere",
    ]
    assert (lower / "dir").is_symlink()
    assert not any("topsecret" in path.read_text() for path in lower.rglob("*")
                   if path.is_file() and not path.is_symlink())  # fmt: skip


def test_special_files_are_left_out_and_nothing_waits(source: Path, tmp_path: Path) -> None:
    """FIFO (would block), socket, device; each with its reason."""
    os.mkfifo(source / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(source)  # a socket's path is short
    try:
        listener.bind("sock")
    finally:
        os.chdir(here)
        listener.close()
    expected = {"fifo": "FIFO", "sock": "socket"}
    if os.geteuid() == 0:
        os.mknod(source / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        expected["null"] = "device"
    report = _copy(source, tmp_path / "l")
    assert {entry.path: entry.reason for entry in report.left_out} == expected
    assert sorted(os.listdir(tmp_path / "l")) == ["a.txt", "sub"]


def test_secrets_and_excluded_are_reported(source: Path, tmp_path: Path) -> None:
    """By name, at any depth; named ones come along, out of a directory of secrets, too."""
    (source / ".env").write_text("x")
    (source / "sub" / "key.pem").write_text("x")
    (source / "sub" / "ca.pem").write_text("x")
    (source / ".ssh").mkdir()
    (source / ".ssh" / "id_rsa").write_text("x")
    (source / ".ssh" / "known_hosts").write_text("x")
    (source / "x.log").write_text("x")
    report = _copy(source, tmp_path / "l", "*.log", "!sub/ca.pem", "!.ssh/known_hosts")
    assert {entry.path: entry.reason for entry in report.left_out} == {
        ".env": "secret by name", "sub/key.pem": "secret by name", ".ssh/id_rsa": "secret by name",
        "x.log": "excluded",
    }  # fmt: skip
    assert (tmp_path / "l" / "sub" / "ca.pem").exists() and (tmp_path / "l" / ".ssh" / "known_hosts").exists()
    (tmp_path / "whole").mkdir()
    report = _copy(source, tmp_path / "whole")
    assert ".ssh" in {entry.path for entry in report.left_out}


def test_hostile_names_are_printable_in_the_report(source: Path, tmp_path: Path) -> None:
    """A name that moves the cursor or turns the line round is shown escaped, and copied as it is."""
    name = "\x1b[2J\u202e.env"
    (source / name).write_text("x")
    (source / "\x1b]0;x\x07.txt").write_text("x")
    os.close(os.open(os.fsencode(source) + b"/\xff\xfe", os.O_CREAT))
    report = _copy(source, tmp_path / "l")
    assert [entry.path for entry in report.left_out] == ["\\x1b[2J\\u202e.env"]
    assert b"\xff\xfe" in os.listdir(os.fsencode(tmp_path / "l"))


def test_too_large_before_anything_is_copied(source: Path, tmp_path: Path) -> None:
    """A sparse file of a terabyte counts as what it claims; the largest are named; nothing is left."""
    with open(source / "sub" / "huge.bin", "wb") as huge:
        huge.truncate(10**12)
    with pytest.raises(WorkspaceTooLarge, match=r"huge\.bin") as error:
        _copy(source, tmp_path / "l")
    assert error.value.total_bytes == 10**12 + 10 and error.value.largest[0] == ("sub/huge.bin", 10**12)
    assert os.listdir(tmp_path / "l") == []
    assert _copy(source, tmp_path / "l", "*.bin").files == 2


def test_exactly_the_limit_fits(source: Path, tmp_path: Path) -> None:
    """Ten bytes go into ten, not into nine."""
    assert _copy(source, tmp_path / "fits", limit=10).bytes == 10
    with pytest.raises(WorkspaceTooLarge):
        _copy(source, tmp_path / "l", limit=9)


def test_a_file_that_grows_is_cut(tmp_path: Path) -> None:
    """What was added after the file was looked at does not come along: no copying for ever."""
    (tmp_path / "from").write_bytes(b"x" * 300_000)
    source = os.open(tmp_path / "from", os.O_RDONLY)
    target = os.open(tmp_path / "to", os.O_WRONLY | os.O_CREAT)
    try:
        assert workspace_copy.copy_data(source, target, 200_001) == 200_001
    finally:
        os.close(source)
        os.close(target)
    assert (tmp_path / "to").read_bytes() == b"x" * 200_001


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 9_000_000])
def test_sizes(source: Path, tmp_path: Path, size: int) -> None:
    """By reading, by the kernel, in several pieces: the same bytes."""
    content = os.urandom(min(size, 70_000)) * (size // 70_000 + 1)
    (source / "data").write_bytes(content[:size])
    _copy(source, tmp_path / "l")
    assert (tmp_path / "l" / "data").read_bytes() == content[:size]


def test_without_a_kernel_copy(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between file systems that can't, reading and writing does it."""

    def refuse(*_: object) -> int:
        raise OSError(18, "cross-device")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    (source / "data").write_bytes(b"y" * 200_000)
    _copy(source, tmp_path / "l")
    assert (tmp_path / "l" / "data").read_bytes() == b"y" * 200_000


def test_a_directory_that_turns_into_a_link(tmp_path: Path) -> None:
    """While an attacker swaps a directory for a link to secrets and back, nothing of theirs comes in."""
    secret = tmp_path / "secret"
    secret.mkdir()
    source = tmp_path / "source"
    (source / "dir").mkdir(parents=True)
    for number in range(100):
        (secret / f"f{number}").write_text("topsecret")
        (source / "dir" / f"f{number}").write_text("plain")
    (source / "link").symlink_to(secret)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(source / "dir", source / "aside")
            os.rename(source / "link", source / "dir")
            os.rename(source / "dir", source / "link")
            os.rename(source / "aside", source / "dir")

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        for attempt in range(15):
            lower = tmp_path / f"l{attempt}"
            _copy(source, lower)
            for path in lower.rglob("*"):
                if path.is_file() and not any(part.is_symlink() for part in (path, *path.parents)):
                    seen.add(path.read_text())
    finally:
        stop.set()
        thread.join()
    assert seen <= {"plain"}


def test_deep_trees_are_left_out_below_the_bound(tmp_path: Path) -> None:
    """A chain of 600 directories costs no descriptors without end; the rest of the tree comes along."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_text("x")
    here = os.open(source, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(600):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("bottom", os.O_CREAT, dir_fd=here))
    os.close(here)
    report = _copy(source, tmp_path / "l")
    assert report.files == 1
    assert [entry.reason for entry in report.left_out] == ["nested too deep"]
    assert remove_tree(source) == ()  # pytest's own removal recurses


def test_unreadable_entries_and_many_of_them(source: Path, tmp_path: Path) -> None:
    """The report names a thousand and counts the rest."""
    for number in range(1100):
        (source / f"{number}.pem").write_text("")
    report = _copy(source, tmp_path / "l")
    assert len(report.left_out) == 1000 and report.left_out_count == 1100


def test_the_target_must_be_empty_and_the_source_there(source: Path, tmp_path: Path) -> None:
    """What a bottle may have had its hands on is not written into."""
    (tmp_path / "l").mkdir()
    (tmp_path / "l" / "x").write_text("x")
    with pytest.raises(WorkspaceError, match="not empty"):
        _copy(source, tmp_path / "l")
    assert (tmp_path / "l" / "x").exists()
    plan = plan_workspace(source, "copy", (), NO_HOME)
    os.rename(source, tmp_path / "moved")
    source.symlink_to(tmp_path / "moved")
    with pytest.raises(WorkspaceError):
        copy_in(plan, tmp_path / "l2", None)


def test_progress_ends_at_the_whole(source: Path, tmp_path: Path) -> None:
    """The last call says that all is copied."""
    (tmp_path / "l").mkdir()
    calls: list[tuple[int, int]] = []
    copy_in(plan_workspace(source, "copy", (), NO_HOME), tmp_path / "l", None,
            progress=lambda done, total: calls.append((done, total)))  # fmt: skip
    assert calls[-1] == (10, 10)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives files to another uid")
def test_everything_belongs_to_the_bottles_uid(source: Path, tmp_path: Path) -> None:
    """Files, directories, links and the repository's copy."""
    (source / "link").symlink_to("a.txt")
    os.system(f"git -C {source} init -q")
    (tmp_path / "l").mkdir()
    os.chown(tmp_path / "l", 1_900_000_003, 1_900_000_003)
    _copy(source, tmp_path / "l", uid=1_900_000_003)
    paths = list((tmp_path / "l").rglob("*"))
    assert (tmp_path / "l" / ".git" / "HEAD") in paths and (tmp_path / "l" / "link") in paths
    assert {(os.lstat(path).st_uid, os.lstat(path).st_gid) for path in paths} == {
        (1_900_000_003, 1_900_000_003)
    }
