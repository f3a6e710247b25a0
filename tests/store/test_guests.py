"""A bottle's uid reaches its own layers and sockets, its sidecar its two directories, nobody the rest."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from bot_bottle.store import bottles, logs
from bot_bottle.store.files import StoreError
from bot_bottle.store.guests import GuestDirs, prepare_guest, write_ca_bundle, write_egress_file
from bot_bottle.store.java_keystore import trust_store
from bot_bottle.store.layout import Layout
from bot_bottle.store.uids import FIRST_BOTTLE_UID, FIRST_GATE_UID, FIRST_SIDECAR_UID

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: makes directories of other uids")
UID = FIRST_BOTTLE_UID + 5
SIDECAR = FIRST_SIDECAR_UID + 5
AsUid = Callable[[Callable[[], None], int], None]


@pytest.fixture
def shared_layout(open_tmp: Path) -> Layout:
    """As for root, with a home of 0700 and shared roots that other uids can pass through."""
    operator = open_tmp / ("h" * 90)
    operator.mkdir(mode=0o700)
    for name in ("lib", "run"):
        (open_tmp / name).mkdir(mode=0o755)
    roots = [open_tmp / name / "bot-bottle" / "0123abcd" for name in ("lib", "run")]
    return Layout(operator / ".bot-bottle", *roots)


def _can_write(path: Path) -> bool:
    try:
        os.close(os.open(path / "probe", os.O_WRONLY | os.O_CREAT))
        os.unlink(path / "probe")
    except OSError:
        return False
    return True


@pytest.mark.root
@needs_root
def test_what_the_bottles_uid_reaches(shared_layout: Layout, as_user: AsUid) -> None:
    """It writes its uppers and works, reads etc and connects in the sockets directory; it can write
    neither of these, nor see the sidecar's directories, nor list what other bottles there are."""
    dirs = prepare_guest(shared_layout, "dev", UID)
    write_egress_file(dirs, "routes.yaml", b"routes: []\n")

    def step() -> None:
        for path in (dirs.root_upper, dirs.root_work, dirs.home_upper, dirs.home_work, dirs.workspace_upper,
                     dirs.workspace_work):  # fmt: skip
            assert _can_write(path), path
        for path in (dirs.etc, dirs.etc / "ssl" / "certs", dirs.sockets, dirs.base, dirs.egress,
                     dirs.sidecar_run, dirs.base / "root", dirs.exec_socket.parent):  # fmt: skip
            assert not _can_write(path), path
        assert (dirs.etc / "passwd").read_text().count("node") > 0
        with pytest.raises(PermissionError):
            (dirs.egress / "routes.yaml").read_text()
        for path in (shared_layout.guests, shared_layout.run / "b", dirs.exec_socket.parent):
            with pytest.raises(PermissionError):
                os.listdir(path)
        assert not os.access(shared_layout.home, os.X_OK)

    as_user(step, UID)


@pytest.mark.root
@needs_root
def test_what_the_sidecars_uid_and_others_reach(shared_layout: Layout, as_user: AsUid) -> None:
    """The proxy reads its policy and writes its own directory, the git gate its own; neither enters the other's,
    and neither they nor another bottle's uids the layers."""
    dirs = prepare_guest(shared_layout, "dev", UID)
    write_egress_file(dirs, "routes.yaml", b"routes: []\n")
    assert (dirs.egress / "routes.yaml").stat().st_mode & 0o777 == 0o600

    def sidecar() -> None:
        assert (dirs.egress / "routes.yaml").read_bytes() == b"routes: []\n"
        assert _can_write(dirs.sidecar_run)
        for path in (dirs.root_upper, dirs.home_upper, dirs.workspace_lower, dirs.etc):
            assert not _can_write(path)

        for path in (dirs.gate_run, dirs.gate_told):
            with pytest.raises(PermissionError):
                os.listdir(path)

    def gate() -> None:
        assert _can_write(dirs.gate_run) and os.listdir(dirs.gate_told) == []
        for path in (dirs.root_upper, dirs.home_upper, dirs.workspace_lower, dirs.egress, dirs.sidecar_run):
            with pytest.raises(PermissionError):
                os.listdir(path)

    def neighbour() -> None:
        for path in (dirs.root_upper, dirs.home_upper, dirs.workspace_lower, dirs.egress, dirs.sidecar_run,
                     dirs.gate_run, dirs.gate_told):  # fmt: skip
            with pytest.raises(PermissionError):
                os.listdir(path)

    as_user(sidecar, SIDECAR)
    as_user(gate, FIRST_GATE_UID + 5)
    for uid in (UID + 1, SIDECAR + 1, FIRST_GATE_UID + 6):
        as_user(neighbour, uid)


def test_an_ordinary_users_directories_are_his_own(own_layout: Layout) -> None:
    """Without a uid nothing is open to others."""
    dirs = prepare_guest(own_layout, "dev", None)
    for path in (dirs.base, dirs.egress, dirs.sidecar_run, dirs.sockets, dirs.base / "home"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert dirs.base.is_relative_to(own_layout.home)
    assert dirs.uid is None and dirs.sidecar_uid is None


def test_the_whole_life_as_an_ordinary_user(open_tmp: Path, as_user: AsUid) -> None:
    """With a home of mode 0700 and a path of 90 characters: made, used, left without permissions by the
    bottle, removed; nothing is left but the log."""
    home = open_tmp / ("h" * 90)
    home.mkdir(mode=0o700)
    runtime = open_tmp / "runtime"
    runtime.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(home, 65_534, 65_534)
        os.chown(runtime, 65_534, 65_534)
    layout = Layout(home / ".bot-bottle", home / ".bot-bottle", runtime / "bot-bottle" / "0123abcd")

    def step() -> None:
        state = bottles.create(layout, "dev")
        dirs = prepare_guest(layout, "dev", None)
        write_egress_file(dirs, "routes.yaml", b"routes: []\n")
        write_ca_bundle(dirs, "PEM")
        (dirs.home_upper / "closed").mkdir()
        (dirs.home_upper / "closed" / "file").write_text("x")
        (dirs.home_upper / "closed").chmod(0)
        (dirs.home_work / "work").mkdir(mode=0)
        os.close(logs.open_log(logs.new_log(layout, "dev", logs.BOTTLE)))
        assert state.remove() == ()
        assert os.listdir(layout.guests) == [] and os.listdir(layout.run / "b") == []
        assert os.listdir(layout.states) == [".lock"] and len(os.listdir(layout.logs("dev"))) == 1

    as_user(step, 65_534)


def test_again_keeps_what_the_bottle_left(own_layout: Layout) -> None:
    """A resume finds the uppers as they were and the generated files anew."""
    dirs = prepare_guest(own_layout, "dev", None)
    (dirs.home_upper / "work.txt").write_text("x")
    (dirs.home_upper / "workspace").symlink_to("/etc")
    (dirs.etc / "hosts").write_text("changed")
    write_ca_bundle(dirs, "-----OLD-----")
    assert prepare_guest(own_layout, "dev", None) == dirs
    assert (dirs.home_upper / "work.txt").read_text() == "x"
    assert "localhost" in (dirs.etc / "hosts").read_text()
    assert (dirs.etc / "ssl" / "certs" / "ca-certificates.crt").read_text() == ""


def test_generated_files_tell_nothing_of_the_host(own_layout: Layout) -> None:
    """Users root, node (1000) and nobody alone; names by the shim alone."""
    dirs = prepare_guest(own_layout, "dev-x", None)
    users = [line.split(":")[0:3:2] for line in (dirs.etc / "passwd").read_text().splitlines()]
    assert users == [["root", "0"], ["node", "1000"], ["nobody", "65534"]]
    assert "nameserver 127.0.0.1\n" in (dirs.etc / "resolv.conf").read_text()
    assert "hosts: files dns\n" in (dirs.etc / "nsswitch.conf").read_text()
    assert "127.0.0.1 localhost bottle dev-x\n" in (dirs.etc / "hosts").read_text()
    assert (dirs.home_lower / "workspace").is_dir()
    assert stat.S_IMODE((dirs.root_lower / "tmp").stat().st_mode) == 0o1777
    assert os.readlink(dirs.root_lower / "bin") == "usr/bin"


def test_the_bundle_has_the_hosts_roots_and_ours(own_layout: Layout) -> None:
    """World-readable, the same file as before (a bind of it shows the new content)."""
    dirs = prepare_guest(own_layout, "dev", None)
    bound = os.open(dirs.etc / "ssl" / "certs" / "ca-certificates.crt", os.O_RDONLY)
    path = write_ca_bundle(dirs, "OURS\n", extra=["EXTRA"])
    with open(bound) as file:
        text = file.read()
    assert text.endswith("OURS\nEXTRA\n")
    host = Path("/etc/ssl/certs/ca-certificates.crt")
    if host.exists():
        assert text.startswith(host.read_text()[:1000])
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_jre_gets_the_same_certificates(own_layout: Layout) -> None:
    """``java/cacerts`` beside the bundle: from the start, and with ours once there is one."""
    dirs = prepare_guest(own_layout, "dev", None)
    path = dirs.etc / "ssl" / "certs" / "java" / "cacerts"
    before = path.read_bytes()
    ours = "-----BEGIN CERTIFICATE-----\nMANhYmM=\n-----END CERTIFICATE-----\n"
    bundle = write_ca_bundle(dirs, ours)
    assert before == trust_store("")
    assert path.read_bytes() == trust_store(bundle.read_text())
    assert b"\x30\x03abc" in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_directories_above_are_left_alone(open_tmp: Path) -> None:
    """Modes of what was there before (``/tmp``, a home) don't change."""
    (open_tmp / "tmp").mkdir()
    (open_tmp / "tmp").chmod(0o1777)
    home = open_tmp / "tmp" / "home"
    home.mkdir(mode=0o755)
    layout = Layout(
        home / ".bot-bottle", home / ".bot-bottle", open_tmp / "tmp" / "bot-bottle-1" / "0123abcd"
    )
    prepare_guest(layout, "dev", None)
    assert stat.S_IMODE((open_tmp / "tmp").stat().st_mode) == 0o1777
    assert stat.S_IMODE(home.stat().st_mode) == 0o755
    assert stat.S_IMODE((open_tmp / "tmp" / "bot-bottle-1").stat().st_mode) == 0o700


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("trap", ["owner", "link"])
def test_a_directory_that_others_laid_out_is_refused(open_tmp: Path, trap: str) -> None:
    """Below ``/tmp`` anybody can make our directory before us: a foreign owner or a link is an error."""
    ours = open_tmp / "bot-bottle-1"
    if trap == "owner":
        ours.mkdir()
        os.chown(ours, 65_534, 65_534)
    else:
        (open_tmp / "else").mkdir()
        ours.symlink_to(open_tmp / "else")
    home = open_tmp / "home"
    home.mkdir()
    layout = Layout(home / ".b", home / ".b", ours / "0123abcd")
    with pytest.raises(StoreError):
        prepare_guest(layout, "dev", None)


def test_the_paths_are_short_enough_for_sockets(layout: Layout) -> None:
    """A socket's path ends at 107 bytes; the run root's does with the longest identity (ruling 43)."""
    run = Layout(layout.home, layout.shared, Path("/run/bot-bottle/0123abcd"))
    for path in (run.sockets("a" * 40) / "proxy.sock", run.exec_socket("a" * 40)):
        assert len(os.fsencode(path)) <= 107


def test_dirs_name_only_this_bottle(own_layout: Layout) -> None:
    """Every path of one bottle lies in its own guest or run directory."""
    dirs = prepare_guest(own_layout, "dev", None)
    paths = [getattr(dirs, name) for name in GuestDirs.__struct_fields__]
    for path in (path for path in paths if isinstance(path, Path)):
        assert "dev" in path.parts or path.name == "dev.sock"
