"""Each system call does what it says in a child of its own, or raises with what was attempted."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from bot_bottle.base import linux


def in_child(action: Callable[[], None]) -> None:
    """Run *action* in a forked child; its failure is ours."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "see the child's traceback"


def _status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _own_user_namespace(flags: int = 0) -> None:
    uid, gid = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWUSER | flags)
    linux.map_ids(0, uid, 0, gid)


def test_user_namespace_maps_one_id() -> None:
    """One uid, one gid, and setgroups denied."""

    def action() -> None:
        uid = os.geteuid()
        _own_user_namespace()
        assert os.getuid() == 0
        assert Path("/proc/self/uid_map").read_text(encoding="ascii").split() == ["0", str(uid), "1"]
        assert Path("/proc/self/setgroups").read_text(encoding="ascii") == "deny\n"

    in_child(action)


def test_network_namespace_has_loopback_alone() -> None:
    """Down at first, up after; nothing else is there."""

    def action() -> None:
        _own_user_namespace(linux.CLONE_NEWNET)
        with pytest.raises(OSError) as caught:
            socket.create_connection(("127.0.0.1", 9), timeout=2)
        assert caught.value.errno == errno.ENETUNREACH
        linux.bring_up_loopback()
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=2).close()
        assert [name for _, name in socket.if_nameindex()] == ["lo"]

    in_child(action)


def test_mounts(tmp_path: Path) -> None:
    """tmpfs, bind, read-only, unmount and the change of root, all unseen by the host."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    def action() -> None:
        _own_user_namespace(linux.CLONE_NEWNS)
        linux.mount("x", tmp_path / "a", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m")
        (tmp_path / "a" / "file").write_text("in tmpfs", encoding="ascii")
        linux.mount(tmp_path / "a", tmp_path / "b", None, linux.MS_BIND | linux.MS_REC)
        linux.restrict_mounts(tmp_path / "b", linux.MOUNT_ATTR_RDONLY)
        with pytest.raises(OSError):
            (tmp_path / "b" / "new").touch()
        linux.umount(tmp_path / "b", linux.MNT_DETACH)
        assert list((tmp_path / "b").iterdir()) == []
        os.chdir(tmp_path / "a")
        linux.pivot_root(".", ".")
        linux.umount(".", linux.MNT_DETACH)
        assert os.listdir("/") == ["file"]

    in_child(action)
    assert list((tmp_path / "a").iterdir()) == []


def test_all_capabilities_go() -> None:
    """From every set; a second time is no error."""

    def action() -> None:
        _own_user_namespace()
        assert int(_status()["CapEff"], 16)
        linux.drop_all_capabilities()
        linux.drop_all_capabilities()
        status = _status()
        assert {int(status[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}

    in_child(action)


def test_privileges_and_dumpability() -> None:
    """no_new_privs is seen by the kernel; what is not dumpable has no readable /proc entry of its own."""

    def action() -> None:
        linux.set_no_new_privs()
        assert _status()["NoNewPrivs"] == "1"
        if os.geteuid() == 0:
            os.setresuid(64903, 64903, 64903)
        linux.set_dumpable(True)
        assert os.listdir("/proc/self/fd")
        linux.set_dumpable(False)
        assert os.stat("/proc/self/environ").st_uid == 0
        linux.set_dumpable(True)
        assert os.stat("/proc/self/environ").st_uid == os.geteuid()

    in_child(action)


def test_parent_death_signal() -> None:
    """The child dies with its parent; its own reaper hears of it."""
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:
            linux.set_parent_death_signal(signal.SIGKILL)
            os.write(writing, b"ready")
            signal.pause()
        signal.pause()
    os.close(writing)
    assert os.read(reading, 5) == b"ready"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert os.read(reading, 1) == b""  # the grandchild held the other end
    os.close(reading)


def test_a_sibling_is_our_parents_child() -> None:
    """And the first process of a PID namespace that was left for it."""
    reading, writing = os.pipe()
    middle = os.fork()
    if middle == 0:
        try:
            _own_user_namespace(linux.CLONE_NEWPID)
            sibling = linux.fork_sibling()
            os.write(writing, b"middle %d\n" % sibling if sibling else b"sibling %d\n" % os.getpid())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(middle, 0)
    with os.fdopen(reading, "rb") as file:
        said = dict(line.split() for line in file.read().splitlines())
    assert said[b"sibling"] == b"1"
    assert os.waitpid(int(said[b"middle"]), 0)[1] == 0


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("keep", [(), (0, 1, 2), (5,), (2, 3, 9, 300), (-1, 7)])
def test_only_the_kept_descriptors_stay(keep: tuple[int, ...]) -> None:
    """Whatever is open, above and below and between."""

    def action() -> None:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        for fd in (3, 4, 5, 6, 7, 8, 9, 10, 300, 301):
            assert fd < soft
            os.dup2(0, fd)
        linux.close_all_except(keep)
        assert {fd for fd in range(1000) if _is_open(fd)} == {fd for fd in keep if fd >= 0}

    in_child(action)


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda: linux.unshare(0x7), "unshare(0x7)"),
        (lambda: linux.setns(-1), "setns(-1"),
        (lambda: linux.mount("x", "/nowhere/at/all", "tmpfs"), "mount of tmpfs 'x' at '/nowhere/at/all'"),
        (lambda: linux.umount("/nowhere/at/all"), "umount of '/nowhere/at/all'"),
        (lambda: linux.pivot_root("/nowhere", "/nowhere"), "pivot_root to '/nowhere'"),
        (lambda: linux.load_seccomp(bytes(7)), "loading the seccomp filter"),
        (lambda: linux.map_ids(0, 4294967295, 0, 0), "/proc/self/"),
    ],
)
def test_failures_name_the_attempt(attempt: Callable[[], None], said: str) -> None:
    """An OSError with errno and what was tried."""

    def action() -> None:
        with pytest.raises(OSError) as caught:
            attempt()
        assert said in str(caught.value)
        assert caught.value.errno

    in_child(action)


def test_import_is_light() -> None:
    """Neither asyncio, subprocess nor typing comes along: it is on the path of every start."""
    program = (
        "import bot_bottle.base.linux, sys; print({'asyncio', 'subprocess', 'typing'} & set(sys.modules))"
    )
    path = str(Path(linux.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.append({path!r}); {program}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "set()\n"


def test_exchange(tmp_path: Path) -> None:
    """Two names change places, whatever they are; one that is missing changes nothing."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    (tmp_path / "b").write_text("2")
    linux.exchange(tmp_path / "a", tmp_path / "b")
    assert ((tmp_path / "a").read_text(), (tmp_path / "b" / "x").read_text()) == ("2", "1")
    with pytest.raises(FileNotFoundError, match="exchanging"):
        linux.exchange(tmp_path / "a", tmp_path / "missing")
    assert (tmp_path / "a").read_text() == "2"
