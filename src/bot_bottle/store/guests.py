"""The directories of one bottle that its own uid, or its sidecar's, must reach: made and owned here.

Below ``layout.guest(identity)``::

    root/{lower,upper,work}        overlay at /
    home/{upper,work}              overlay at the home
    workspace/{lower,upper,work}   overlay at the workspace; lower is what was copied in
    etc/                           generated files, seen read-only
    egress/                        routes.yaml and answers, seen read-only by the proxy
    run/                           all that the proxy can write
    gate-told/                     answers, seen read-only by the git gate
    gate/                          all that the git gate can write: mirrors, questions

For root the parents are 0711 and belong to root, ``root``, ``home`` and ``workspace`` 0710 with the
bottle's gid: another bottle's uid that got out of its view could not go in. For a user all is that user's
own. The host writes only where no bottle writes: ``etc``, ``egress``, ``*/lower`` before the start.
Everything here can be done again on a directory that a bottle has used (``resume``); uppers keep their
content.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from bot_bottle.store.files import (
    StoreError,
    atomic_write,
    make_directory,
    make_home,
    make_missing,
    write_all,
)
from bot_bottle.store.guest_etc import SKELETON_DIRECTORIES, USR_LINKS, etc_files, host_roots
from bot_bottle.store.java_keystore import trust_store
from bot_bottle.store.layout import Layout
from bot_bottle.store.uids import gate_uid_for, sidecar_uid_for

GATE_TOLD, GATE_RUN = "gate-told", "gate"
"""names of the git gate's directories"""


class GuestDirs(Struct, frozen=True):
    """Paths of one bottle's directories; all exist and have their owners."""

    identity: str
    base: Path
    root_lower: Path
    """a skeleton: ``/usr`` links, ``/home/node/workspace``, ``/tmp`` …"""
    root_upper: Path
    root_work: Path
    home_lower: Path
    """the skeleton's: an empty ``workspace`` to mount on"""
    home_upper: Path
    home_work: Path
    workspace_lower: Path
    """empty until ``launch.workspace.copy_in``"""
    workspace_upper: Path
    workspace_work: Path
    etc: Path
    """passwd, group, hosts, resolv.conf, nsswitch.conf, ssl/certs/ca-certificates.crt, ssl/certs/java/cacerts
    …; to be bound read-only"""
    egress: Path
    """0700, the sidecar's; written by :func:`write_egress_file`"""
    sidecar_run: Path
    """0700, the sidecar's"""
    gate_told: Path
    """0700, the git gate's; written by the host alone"""
    gate_run: Path
    """0700, the git gate's"""
    sockets: Path
    """bound into the bottle; the launcher puts ``proxy.sock`` there, and ``gate.sock`` where there is a gate"""
    exec_socket: Path
    """its directory exists, 0700; not in the bottle's view"""
    uid: int | None
    sidecar_uid: int | None
    gate_uid: int | None


def prepare_guest(
    layout: Layout, identity: str, uid: int | None, *, sidecar_uid: int | None = None
) -> GuestDirs:
    """Make (or take again) every directory of *identity* and generate its ``/etc``.

    *uid* is the bottle's (root mode; gid alike) or None (everything is ours). *sidecar_uid* defaults to
    the one that belongs to *uid*. Raises ``StoreError``; called before anything of the bottle runs.
    """
    if uid is not None and sidecar_uid is None:
        sidecar_uid = sidecar_uid_for(uid)
    gate_uid = None if sidecar_uid is None else gate_uid_for(sidecar_uid)
    parent_mode = 0o700 if uid is None else 0o711
    base = layout.guest(identity)
    if layout.shared == layout.home:
        make_home(layout.home)
    else:
        _make_passable(layout.shared, parent_mode)
    for directory in (layout.guests, base):
        make_directory(directory, parent_mode)
    for name in ("root", "home", "workspace"):
        make_directory(base / name, 0o700 if uid is None else 0o710, gid=uid)
    layers = [("root", "upper"), ("home", "upper"), ("workspace", "lower"), ("workspace", "upper")]
    for layer, part in layers:
        make_directory(base / layer / part, 0o755, uid)
    for layer in ("root", "home", "workspace"):
        make_directory(base / layer / "work", 0o700, uid)
    _make_skeleton(base / "root" / "lower", uid)
    make_directory(base / "etc", 0o755)
    _write_etc(base / "etc", identity)
    for told, run, owner in (("egress", "run", sidecar_uid), (GATE_TOLD, GATE_RUN, gate_uid)):
        make_directory(base / told, 0o700, owner)
        make_directory(base / run, 0o700, owner)
    sockets, exec_socket = _make_socket_directories(layout, identity, parent_mode, uid)
    return GuestDirs(
        identity=identity, base=base, root_lower=base / "root" / "lower", root_upper=base / "root" / "upper",
        root_work=base / "root" / "work", home_lower=base / "root" / "lower" / "home" / "node",
        home_upper=base / "home" / "upper", home_work=base / "home" / "work",
        workspace_lower=base / "workspace" / "lower", workspace_upper=base / "workspace" / "upper",
        workspace_work=base / "workspace" / "work", etc=base / "etc", egress=base / "egress",
        sidecar_run=base / "run", gate_told=base / GATE_TOLD, gate_run=base / GATE_RUN, sockets=sockets,
        exec_socket=exec_socket, uid=uid, sidecar_uid=sidecar_uid, gate_uid=gate_uid,
    )  # fmt: skip


def write_egress_file(dirs: GuestDirs, name: str, content: bytes) -> Path:
    """Write *name* (``routes.yaml``) into the egress directory, atomically, 0600, readable by the sidecar.

    Only the host writes there: the sidecar sees the directory read-only. Returns the path.
    """
    path = dirs.egress / name
    atomic_write(path, content, uid=dirs.sidecar_uid)
    return path


def write_ca_bundle(dirs: GuestDirs, pem: str, *, extra: Sequence[str] = ()) -> Path:
    """Write ``etc/ssl/certs/ca-certificates.crt``: the host's roots, the bottle's own CA *pem*, *extra*.

    Beside it ``java/cacerts``, the same for a JRE: Debian's reads that file, and any other can be told to.
    Both files are there since :func:`prepare_guest` and are written in place, so that a bind of the file
    shows it too. Called before the agent starts. Returns the path of the first.
    """
    parts = [part.rstrip("\n") for part in (host_roots(), pem, *extra) if part]
    bundle = "\n".join(parts) + "\n"
    certs = dirs.etc / "ssl" / "certs"
    path = certs / "ca-certificates.crt"
    _write_in_place(path, bundle.encode())
    _write_in_place(certs / "java" / "cacerts", trust_store(bundle))
    return path


def _make_passable(path: Path, mode: int) -> None:
    """Make ``/var/lib/bot-bottle/<key>``, ``/run/bot-bottle/<key>`` or the like: both levels are ours and
    get *mode*; directories above that are there are not touched."""
    make_missing(path.parent.parent, 0o755)
    if path.parent.name.startswith("bot-bottle") or not os.path.lexists(path.parent):
        make_directory(path.parent, mode)
    make_directory(path, mode)


def _make_socket_directories(layout: Layout, identity: str, mode: int, uid: int | None) -> tuple[Path, Path]:
    _make_passable(layout.run, mode)
    sockets, exec_socket = layout.sockets(identity), layout.exec_socket(identity)
    make_directory(sockets.parent, mode)
    # the bottle lists it in its self-test; other bottles can't even pass through
    make_directory(sockets, 0o700 if uid is None else 0o750, gid=uid)
    make_directory(exec_socket.parent, 0o700)
    return sockets, exec_socket


def _make_skeleton(lower: Path, uid: int | None) -> None:
    """The root's lower layer. It is never bound over: what is there from before is taken as it is."""
    make_directory(lower, 0o755, uid)
    for name, mode in SKELETON_DIRECTORIES.items():
        make_directory(lower / name, mode, uid)
    for name in USR_LINKS:
        if os.path.isdir(f"/usr/{name}") and not os.path.lexists(lower / name):
            os.symlink(f"usr/{name}", lower / name)


def _write_etc(etc: Path, identity: str) -> None:
    certs = etc / "ssl" / "certs"
    for directory in (etc / "ssl", certs, certs / "java"):
        make_directory(directory, 0o755)
    for name, text in etc_files(identity).items():
        _write_in_place(etc / name, text.encode())
    _write_in_place(certs / "ca-certificates.crt", b"")
    _write_in_place(certs / "java" / "cacerts", trust_store(""))
    _write_in_place(etc / "ssl" / "openssl.cnf", b"")  # a backend binds the host's over it


def _write_in_place(path: Path, content: bytes) -> None:
    """Replace the content of a file that only we write; world-readable."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o644)
        try:
            os.fchmod(fd, 0o644)
            write_all(fd, content)
        finally:
            os.close(fd)
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be written: {error.strerror}") from error
