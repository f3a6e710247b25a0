"""What happens between the fork and bwrap's exec: uid, namespaces, loopback, listeners, overlays.

Runs in a child of the (single-threaded) launching process; never returns. The order is what makes it safe: the
uid first (root inside any namespace still is the host's root, research 5.5), then the
namespaces, then mounts, and every descriptor but a list is closed. Whatever fails is told through
``Plan.trouble`` and ends the child: there is no bottle then.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NoReturn

from bot_bottle.base import linux
from bot_bottle.sandbox import bundle
from bot_bottle.sandbox.bwrap import arguments, carriage
from bot_bottle.sandbox.bwrap.mountpoints import prepare, prepare_all
from bot_bottle.sandbox.contract import Layer, Mount

PROXY_PORT = 9099
GATE_PORT = 9418
_LISTENERS = (
    ("127.0.0.1", PROXY_PORT, socket.SOCK_STREAM),
    ("0.0.0.0", 80, socket.SOCK_STREAM),  # noqa: S104  # the stand-ins are all over 127.0.0.0/8
    ("0.0.0.0", 443, socket.SOCK_STREAM),  # noqa: S104
    ("127.0.0.1", 53, socket.SOCK_DGRAM),
    ("127.0.0.1", 53, socket.SOCK_STREAM),
)
"""In the order that ``shim.init.main`` takes them; the gate's and those of ``carriage`` come last."""
_GATE_LISTENER = ("127.0.0.1", GATE_PORT, socket.SOCK_STREAM)


@dataclass(frozen=True)
class Plan:
    """All that the stage needs. Descriptors are inherited; a test opens a hole by replacing a field."""

    launcher: int
    """pid of the launching process: the stage dies with it"""
    uid: int | None
    layers: tuple[Layer, ...]
    view: arguments.View
    mounts: tuple[Mount, ...]
    bwrap: str
    python: str
    shim: bytes
    seccomp: bytes | None
    control: int
    exec_listener: int
    log: int
    trouble: int
    namespaces: Sequence[str] = field(default_factory=arguments.namespaces)
    own_network: bool = True
    every_port: bool = True
    """carry every port, where the kernel can"""
    gate: bool = False
    """there is a git gate to carry connections to"""
    extra_arguments: Sequence[str] = ()


def run(plan: Plan) -> NoReturn:
    """Become bwrap, or tell what failed and end."""
    try:
        _execute(plan)
    except BaseException as error:
        text = (str(error) or repr(error)).replace("\n", " ")  # a line's end would pass for a pid's
        os.write(plan.trouble, text.encode("utf-8", "replace")[:1000])
    finally:
        os._exit(1)


def _execute(plan: Plan) -> None:
    _die_with(plan.launcher)
    become(plan.uid)
    _die_with(plan.launcher)  # the change of uid has cleared it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    linux.close_all_except([0, 1, 2, plan.control, plan.exec_listener, plan.log, plan.trouble])
    enter_namespaces(network=plan.own_network, processes=True)
    _become_first(plan)
    listeners = [*_listen(gate=plan.gate), *_carry(plan)]
    compose_etc(plan.view.etc)
    view = mount_layers(plan)
    options = [*plan.namespaces, *arguments.filesystem(view, arguments.usr_links()), *plan.extra_arguments]
    _exec_bwrap(plan, options, [sock.detach() for sock in listeners])


def become(uid: int | None) -> None:
    """Change to *uid* for good; None stays. Raises OSError when we are still root then."""
    if uid is not None and uid != os.geteuid():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if 0 in os.getresuid():
        raise OSError(1, "a bottle may not be started by the uid 0: it would be no sandbox")
    linux.set_dumpable(True)  # else /proc/self/uid_map is root's


def _die_with(launcher: int) -> None:
    linux.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != launcher:
        raise OSError(3, "the launching process is gone")


def _become_first(plan: Plan) -> None:
    """Go on as the first process of a PID namespace, a child of the launching process itself.

    bwrap's own tie has a gap: its child waits for it before it asks for a parent death signal, and one that
    loses its parent there waits for ever. In a namespace whose first process is bwrap, the kernel ends that
    child too. Our own gap is closed by looking at the launcher's end of the control socket afterwards.
    """
    first = linux.fork_sibling()
    if first:
        os.write(plan.trouble, b"%d\n" % first)
        os._exit(0)
    os.setsid()
    linux.set_parent_death_signal(signal.SIGKILL)
    poll = select.poll()
    poll.register(plan.control, 0)
    if poll.poll(0):
        raise OSError(3, "the launching process is gone")
    # bwrap opens /proc/<its child's pid>/ns: with the host's /proc that is some process of the host, or none.
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)


def enter_namespaces(*, network: bool, processes: bool = False) -> None:
    """User, mount and network namespaces; loopback is up then, and nothing else is there. *processes*: what
    is forked next is the first process of a PID namespace."""
    uid, gid = os.geteuid(), os.getegid()
    wanted = (linux.CLONE_NEWNET if network else 0) | (linux.CLONE_NEWPID if processes else 0)
    linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS | wanted)
    linux.map_ids(0, uid, 0, gid)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SLAVE)
    if network:
        linux.bring_up_loopback()


def _listen(*, gate: bool) -> list[socket.socket]:
    """Bound here, where ports below 1024 may be: no sysctl has to be changed for the bottle."""
    listeners = []
    for address, port, kind in (*_LISTENERS, _GATE_LISTENER) if gate else _LISTENERS:
        sock = socket.socket(socket.AF_INET, kind)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(1024)
        except OSError as error:
            raise OSError(error.errno, f"listening on {address}:{port}: {error.strerror}") from error
        listeners.append(sock)
    return listeners


def _carry(plan: Plan) -> list[socket.socket]:
    """Every address and port, where that can be; else only stand-ins on 80 and 443, and the log says why."""
    if not (plan.every_port and plan.own_network):
        return []
    listeners, trouble = carriage.listen()
    if trouble:
        os.write(plan.log, f"bot-bottle: not every port is carried: {trouble}\n".encode())
    return listeners


def mount_layers(plan: Plan) -> arguments.View:
    """Mount every layer over its own upper directory; make the mount points of what lies inside another."""
    root: Path | None = None
    inner: list[tuple[PurePosixPath, Path]] = []
    for layer in sorted(plan.layers, key=lambda layer: len(layer.target.parts)):
        if layer.lower is not None:
            _overlay(layer)
        if layer.target == PurePosixPath("/"):
            root = layer.upper
            prepare_all(root, [*arguments.KEPT, *arguments.VAR])
        else:
            _mount_point(layer.target, root, inner, directory=True)
            inner.append((layer.target, layer.upper))
    for mount in plan.mounts:
        _mount_point(mount.target, root, inner, directory=mount.source.is_dir())
    mounts = [(mount.target, mount.source) for mount in plan.mounts]
    return replace(plan.view, root=root, layers=inner, mounts=mounts)


_OPENSSL = "/etc/ssl/openssl.cnf"
"""The host's: beside our own certificates, in a directory that is bound whole."""


def compose_etc(own: Path) -> None:
    """Over *own* itself mount what ``/etc`` is inside: the host's plain files, and *own*'s over them.

    By mounts, not copies: the CA bundle is written into one of *own*'s directories later. Here and not by
    options of bwrap's, which reads the whole mount table again for each (20 ms for 40 of them).
    """
    below = os.open(own, os.O_PATH | os.O_DIRECTORY)
    ours = os.listdir(own)
    linux.mount("bot-bottle-etc", own, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755,size=1m")
    for name in arguments.HOST_ETC:
        if name not in ours and os.path.exists(f"/etc/{name}"):
            _bind(f"/etc/{name}", own / name)
    for name in ours:
        _bind(f"/proc/self/fd/{below}/{name}", own / name)
    if "ssl" in ours and os.path.exists(_OPENSSL):
        prepare(own / "ssl", PurePosixPath("openssl.cnf"), directory=False)
        if not (own / "ssl" / "openssl.cnf").stat().st_size:
            linux.mount(_OPENSSL, own / "ssl" / "openssl.cnf", None, linux.MS_BIND)
    if "mtab" not in ours:
        os.symlink("/proc/self/mounts", own / "mtab")
    os.close(below)


def _bind(source: str, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if os.path.isdir(source):
        target.mkdir()
    else:
        target.touch()
    linux.mount(source, target, None, linux.MS_BIND)


def _overlay(layer: Layer) -> None:
    """By descriptors: no character of a path has to be escaped in the options."""
    fds = [
        os.open(path, os.O_PATH | os.O_DIRECTORY) for path in (layer.lower, layer.upper, layer.work) if path
    ]
    lower, upper, work = (f"/proc/self/fd/{fd}" for fd in fds)
    data = f"lowerdir={lower},upperdir={upper},workdir={work},userxattr"
    linux.mount("bot-bottle", layer.upper, "overlay", linux.MS_NOSUID | linux.MS_NODEV, data)
    for fd in fds:
        os.close(fd)


def _mount_point(
    target: PurePosixPath,
    root: Path | None,
    layers: Sequence[tuple[PurePosixPath, Path]],
    *,
    directory: bool,
) -> None:
    """Make *target* in the layer that it lies in; elsewhere the root is bwrap's own, it makes it itself."""
    for outer, mounted in reversed(layers):
        if target.is_relative_to(outer):
            prepare(mounted, target.relative_to(outer), directory=directory)
            return
    if root is not None and len(target.parts) > 1 and target.parts[1] in arguments.KEPT:
        prepare(root, target.relative_to("/"), directory=directory)


def _exec_bwrap(plan: Plan, options: Sequence[str], listeners: Sequence[int]) -> None:
    sink = os.open(os.devnull, os.O_RDONLY)
    for number, fd in ((0, sink), (1, plan.log), (2, plan.log)):
        os.dup2(fd, number)
    passed = [plan.control, plan.exec_listener, *listeners]
    shim = _sealed(plan.shim)
    argv = [plan.bwrap, "--args", str(_sealed(b"".join(os.fsencode(option) + b"\0" for option in options)))]
    if plan.seccomp is not None:
        argv += ["--seccomp", str(_sealed(plan.seccomp))]
    keep = [*passed, shim, *(int(argument) for argument in argv[2::2])]
    for fd in keep:
        os.set_inheritable(fd, True)
    linux.close_all_except([0, 1, 2, plan.trouble, *keep])
    os.execve(plan.bwrap, [*argv, "--", *bundle.argv(plan.python, passed, shim)], {})  # noqa: S606


def _sealed(content: bytes) -> int:
    """A descriptor to read *content* from."""
    fd = os.memfd_create("bot-bottle")
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
