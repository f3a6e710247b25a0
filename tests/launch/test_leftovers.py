"""Work that a bottle left is never overlooked; what the launch and the tools wrote is no work."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from bot_bottle.launch import leftovers
from bot_bottle.launch.leftovers import Leftovers, unapplied
from bot_bottle.providers.contract import GuestFile
from bot_bottle.store.guests import GuestDirs, prepare_guest
from bot_bottle.store.layout import Layout
from bot_bottle.store.removal import remove_tree


@pytest.fixture
def dirs(tmp_path: Path) -> GuestDirs:
    home = tmp_path / ".bot-bottle"
    guest = prepare_guest(Layout(home, home, tmp_path / "run" / "bot-bottle" / "k"), "dev", None)
    (guest.workspace_lower / "sub").mkdir()
    (guest.workspace_lower / "file.txt").write_text("as copied")
    (guest.workspace_lower / "sub" / "other.txt").write_text("as copied")
    (guest.workspace_lower / "link").symlink_to("file.txt")
    return guest


def _whiteout(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))


def _found(left: Leftovers) -> dict[str, tuple[str, ...]]:
    return {layer.name: layer.paths for layer in left.layers}


def test_nothing_happened(dirs: GuestDirs) -> None:
    """Empty uppers are nothing; so are uppers that were never made."""
    assert not unapplied(dirs)
    for upper in (dirs.workspace_upper, dirs.home_upper, dirs.root_upper):
        upper.rmdir()
    assert not unapplied(dirs) and unapplied(dirs).count == 0


Change = Callable[[GuestDirs], object]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: (d.workspace_upper / "new.txt").write_text("x"), "/home/node/workspace/new.txt"),
        (lambda d: (d.workspace_upper / "empty").write_text(""), "/home/node/workspace/empty"),
        (lambda d: (d.workspace_upper / "file.txt").write_text("as edited"), "/home/node/workspace/file.txt"),
        (lambda d: (d.workspace_upper / "link").symlink_to("else"), "/home/node/workspace/link"),
        (lambda d: (d.workspace_upper / "file.txt").mkdir(), "/home/node/workspace/file.txt"),
        (lambda d: (d.workspace_upper / "sub").write_text("now a file"), "/home/node/workspace/sub"),
        (lambda d: _whiteout(d.workspace_upper / "file.txt"), "/home/node/workspace/file.txt"),
        (lambda d: os.mkfifo(d.workspace_upper / "file.txt"), "/home/node/workspace/file.txt"),
        (lambda d: (d.home_upper / "notes.md").write_text("x"), "/home/node/notes.md"),
        (lambda d: ((d.root_upper / "opt").mkdir(), (d.root_upper / "opt" / "x").write_text("x")), "/opt/x"),
        (lambda d: (d.root_upper / "tmpx").write_text("x"), "/tmpx"),
        (lambda d: (d.home_upper / "\x1b[2J\u202e").write_text("x"), "/home/node/\\x1b[2J\\u202e"),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_found(dirs: GuestDirs, change: Change, expected: str) -> None:
    """New, edited, replaced by another kind, deleted; in every layer; named as seen inside, printable."""
    change(dirs)
    left = unapplied(dirs)
    assert left and left.count == 1 and left.complete
    assert next(iter(_found(left).values())) == (expected,)


def test_a_directory_made_anew(dirs: GuestDirs) -> None:
    """An opaque directory hides what was copied in: that is a deletion, once."""
    (dirs.workspace_upper / "sub").mkdir()
    assert not unapplied(dirs)  # its time or mode alone
    os.setxattr(dirs.workspace_upper / "sub", "user.overlay.opaque", b"y")
    assert _found(unapplied(dirs)) == {"workspace": ("/home/node/workspace/sub",)}


def test_what_was_only_touched_is_no_work(dirs: GuestDirs) -> None:
    """Copied up with the same content; a whiteout over nothing; empty directories; git's own index."""
    (dirs.workspace_upper / "file.txt").write_text("as copied")
    (dirs.workspace_upper / "file.txt").chmod((dirs.workspace_lower / "file.txt").stat().st_mode)
    (dirs.workspace_upper / "link").symlink_to("file.txt")
    (dirs.workspace_upper / "sub").mkdir()
    (dirs.workspace_upper / ".git").mkdir()
    (dirs.workspace_upper / ".git" / "index").write_text("refreshed")
    (dirs.home_upper / "workspace").mkdir()
    _whiteout(dirs.home_upper / "gone")
    assert not unapplied(dirs)
    (dirs.workspace_upper / "file.txt").chmod(0o777)
    assert unapplied(dirs)


def test_provisioned_files_count_only_when_changed(dirs: GuestDirs) -> None:
    """The agent's edit of a file that we wrote is work; another file beside it, too."""
    files = [GuestFile(PurePosixPath("/home/node/.claude.json"), b"{}"),
             GuestFile(PurePosixPath("/home/node/.claude/settings.json"), b"[]")]  # fmt: skip
    (dirs.home_upper / ".claude.json").write_bytes(b"{}")
    (dirs.home_upper / ".claude").mkdir()
    (dirs.home_upper / ".claude" / "settings.json").write_bytes(b"[]")
    assert not unapplied(dirs, files)
    assert unapplied(dirs).count == 2
    (dirs.home_upper / ".claude" / "settings.json").write_bytes(b"{}")
    assert _found(unapplied(dirs, files)) == {"home": ("/home/node/.claude/settings.json",)}
    (dirs.home_upper / ".claude" / "settings.json").unlink()
    (dirs.home_upper / ".claude" / "settings.json").symlink_to("/etc/passwd")
    assert unapplied(dirs, files).count == 1


def test_scratch_is_passed_over(dirs: GuestDirs) -> None:
    """The tool's own directories and files, and /tmp; not a name that only begins alike."""
    for name in (".cache", ".claude", ".claudette"):
        (dirs.home_upper / name / "x").mkdir(parents=True)
        (dirs.home_upper / name / "x" / "file").write_text("x")
    (dirs.home_upper / ".history").write_text("x")
    for name in ("tmp", "var/tmp", "run"):
        (dirs.root_upper / name).mkdir(parents=True)
        (dirs.root_upper / name / "file").write_text("x")
    scratch = [PurePosixPath(f"/home/node/{name}") for name in (".cache", ".claude", ".history")]
    assert _found(unapplied(dirs, (), scratch)) == {"home": ("/home/node/.claudette/x/file",)}


def test_mount_points_of_generated_files_are_no_work(dirs: GuestDirs) -> None:
    """An empty file where /etc/passwd was bound over; a written one is work."""
    (dirs.root_upper / "etc").mkdir()
    (dirs.root_upper / "etc" / "passwd").write_text("")
    assert not unapplied(dirs)
    (dirs.root_upper / "etc" / "passwd").write_text("x")
    (dirs.root_upper / "etc" / "mine").write_text("")
    assert unapplied(dirs).count == 2


def test_links_lead_nowhere(dirs: GuestDirs, tmp_path: Path) -> None:
    """A link to a directory of the host's is one change; what is behind it is not looked at."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for number in range(20):
        (outside / str(number)).write_text("x")
    (dirs.home_upper / "link").symlink_to(outside)
    assert unapplied(dirs).count == 1
    dirs.workspace_upper.rmdir()
    dirs.workspace_upper.symlink_to(outside)
    assert unapplied(dirs).count == 2


def test_counting_is_bounded(dirs: GuestDirs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound it says that there is more; scratch without end ends, too, and counts as work."""
    monkeypatch.setattr(leftovers, "MAX_COUNTED", 50)
    for number in range(60):
        (dirs.home_upper / str(number)).write_text("x")
    left = unapplied(dirs)
    assert left.count == 50 and not left.complete and len(left.layers[0].paths) == leftovers.MAX_NAMED
    monkeypatch.setattr(leftovers, "MAX_LOOKED_AT", 30)
    left = unapplied(dirs, (), [PurePosixPath(f"/home/node/{number}") for number in range(60)])
    assert left and left.count == 0 and not left.complete


def test_large_files_are_not_compared_for_ever(dirs: GuestDirs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound, the same content counts as changed: kept for nothing is better than lost."""
    monkeypatch.setattr(leftovers, "MAX_COMPARED_BYTES", 5)
    (dirs.workspace_upper / "file.txt").write_text("as copied")
    assert unapplied(dirs).count == 1


def test_deep_trees_end(dirs: GuestDirs) -> None:
    """2,000 levels: counted as work, without a descriptor for each."""
    here = os.open(dirs.home_upper, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    before = len(os.listdir("/proc/self/fd"))
    assert unapplied(dirs).count == 1
    assert len(os.listdir("/proc/self/fd")) == before
    assert remove_tree(dirs.base) == ()  # pytest's own removal recurses


OVERLAY = """
set -e
mkdir {merged}
mount -t overlay overlay -o lowerdir={lower},upperdir={upper},workdir={work},userxattr {merged}
cd {merged}
{script}
"""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cat file.txt sub/other.txt; ls -la sub; touch sub", ()),
        ("touch file.txt; chmod u+w file.txt", ()),
        ("echo x > t; rm t; mkdir e; rmdir e", ()),
        ("echo x >> file.txt", ("file.txt",)),
        ("rm file.txt", ("file.txt",)),
        ("rm -r sub", ("sub",)),
        ("rm -r sub; mkdir sub", ("sub",)),
        ("rm -r sub; mkdir sub; echo 'as copied' > sub/other.txt", ("sub", "sub/other.txt")),
        ("mv sub/other.txt moved.txt", ("moved.txt", "sub/other.txt")),
        ("ln file.txt hard.txt", ("hard.txt",)),
    ],
)
def test_with_a_real_overlay(dirs: GuestDirs, tmp_path: Path, script: str, expected: tuple[str, ...]) -> None:
    """What the kernel leaves in an upper layer for each thing that an agent may do."""
    text = OVERLAY.format(merged=tmp_path / "m", lower=dirs.workspace_lower, upper=dirs.workspace_upper,
                          work=dirs.workspace_work, script=script)  # fmt: skip
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", text],
                          capture_output=True, text=True, check=False)  # fmt: skip
    if "unshare" in done.stderr or "mount: " in done.stderr:
        pytest.skip(f"no overlay in a user namespace here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    names = [path for paths in _found(unapplied(dirs)).values() for path in paths]
    assert sorted(names) == [f"/home/node/workspace/{name}" for name in expected]
