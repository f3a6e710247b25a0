"""Mount points, arguments and control groups of the bubblewrap backend, without a bottle."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from bot_bottle.sandbox.bwrap import arguments, limits
from bot_bottle.sandbox.bwrap.mountpoints import prepare
from bot_bottle.sandbox.contract import Resources


@pytest.mark.parametrize("path", ["a", "a/b/c", "/a/b"])
def test_mount_points_are_made(tmp_path: Path, path: str) -> None:
    """All directories on the way; what is there stays as it is."""
    for _ in range(2):
        prepare(tmp_path, PurePosixPath(path))
        assert (tmp_path / path.lstrip("/")).is_dir()
    assert list(tmp_path.glob("*moved*")) == []


@pytest.mark.parametrize("part", ["a", "a/b", "a/b/c"])
@pytest.mark.parametrize("kind", ["link", "dangling", "file", "pipe"])
def test_what_is_in_the_way_is_moved_aside(tmp_path: Path, part: str, kind: str) -> None:
    """A link is never followed, a file never overwritten: both can still be found."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    obstacle = root / part
    obstacle.parent.mkdir(parents=True, exist_ok=True)
    if kind == "link":
        obstacle.symlink_to(outside)
    elif kind == "dangling":
        obstacle.symlink_to("/nowhere/at/all")
    elif kind == "file":
        obstacle.write_text("work", encoding="ascii")
    else:
        os.mkfifo(obstacle)
    prepare(root, PurePosixPath("a/b/c"))
    assert not any((root / path).is_symlink() for path in ("a", "a/b", "a/b/c"))
    assert (root / "a/b/c").is_dir()
    assert list(outside.iterdir()) == []
    aside = obstacle.with_name(obstacle.name + ".moved-aside-0")
    assert aside.is_symlink() or aside.exists()


def test_a_file_as_mount_point(tmp_path: Path) -> None:
    """An empty one; a link in its place is moved aside."""
    victim = tmp_path / "victim"
    victim.write_text("untouched", encoding="ascii")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").symlink_to(victim)
    prepare(root, PurePosixPath("file"), directory=False)
    prepare(root, PurePosixPath("d/other"), directory=False)
    assert (root / "file").read_bytes() == b""
    assert not (root / "file").is_symlink()
    assert (root / "d/other").is_file()
    assert victim.read_text(encoding="ascii") == "untouched"


def test_no_mount_point_leads_upwards(tmp_path: Path) -> None:
    """``..`` is refused before anything is made."""
    with pytest.raises(ValueError, match="upwards"):
        prepare(tmp_path, PurePosixPath("new/../../x"))
    assert list(tmp_path.iterdir()) == []


def test_the_host_shows_only_what_is_named() -> None:
    """No source of a mount but /usr, /proc/sys, the bottle's own directories and the named mounts."""
    view = arguments.View(
        root=Path("/S/root"),
        layers=[(PurePosixPath("/home/node"), Path("/S/home"))],
        etc=Path("/S/etc"),
        sockets=Path("/S/sockets"),
        mounts=[(PurePosixPath("/opt/tool"), Path("/T/tool"))],
    )
    options = arguments.filesystem(view, {"bin": "usr/bin", "lib64": None})
    sources = {(options[at], options[at + 1]) for at, option in enumerate(options) if option.endswith("bind")}
    writable = {source for option, source in sources if option == "--bind"}
    assert writable == {"/S/home", *(f"/S/root/{name}" for name in arguments.KEPT)}
    readable = {source for option, source in sources if option == "--ro-bind"}
    assert readable == {"/usr", "/lib64", "/proc/sys", "/S/etc", "/S/sockets", "/T/tool"}
    assert options[-4:] == ["--remount-ro", "/", "--chdir", "/"]
    assert not {"shadow", "ssh", "ld.so.preload", "passwd", "gitconfig", "npmrc"} & set(arguments.HOST_ETC)


def _v2(root: Path, *controllers: str) -> Path:
    (root / "cgroup.controllers").write_text(" ".join(controllers), encoding="ascii")
    (root / "cgroup.subtree_control").write_text(" ".join(controllers), encoding="ascii")
    return root


def _v1(root: Path, *controllers: str) -> Path:
    for name in controllers:
        (root / name).mkdir()
        (root / name / "cgroup.procs").touch()
    return root


def test_limits_by_control_groups_v2(tmp_path: Path) -> None:
    """One group with every limit, where its controllers are offered."""
    found = limits.find_groups("ab", _v2(tmp_path, "cpu", "memory", "pids"))
    assert found.unenforced() == []
    (group,) = limits.create(found, "dev-abc12", Resources(cpus=1.5, memory_bytes=1000, pids=7))
    assert group == tmp_path / "bot-bottle-ab" / "dev-abc12"
    values = {path.name: path.read_text(encoding="ascii") for path in group.iterdir()}
    assert values == {"cpu.max": "150000 100000", "memory.max": "1000", "pids.max": "7"}
    switched_on = (group.parent / "cgroup.subtree_control").read_text(encoding="ascii").split()
    assert set(switched_on) == {"+cpu", "+memory", "+pids"}


def test_limits_by_control_groups_v1(tmp_path: Path) -> None:
    """A group in each hierarchy; what is missing is said."""
    found = limits.find_groups("ab", _v1(tmp_path, "memory", "pids"))
    assert found.unenforced() == ["cpus"]
    groups = limits.create(found, "dev-abc12", Resources(memory_bytes=1000, pids=7))
    values = {path.name: path.read_text(encoding="ascii") for group in groups for path in group.iterdir()}
    assert values == {"memory.limit_in_bytes": "1000", "pids.max": "7"}
    assert sorted(limits.groups_of(found, "dev-abc12")) == sorted(groups)
    assert limits.groups_of(found, "other-abc12") == []


def test_no_control_groups(tmp_path: Path) -> None:
    """Memory and processors are not enforced then; processes are, by the kernel's own count."""
    found = limits.find_groups("ab", tmp_path)
    assert found.unenforced() == ["cpus", "memory_bytes"]
    assert limits.create(found, "dev-abc12", Resources()) == []
    assert limits.find_groups("ab", _v2(tmp_path, "hugetlb")).unenforced() == ["cpus", "memory_bytes"]
