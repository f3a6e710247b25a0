"""What a sidecar's process sees of the file system: a read-only root of ours, and little of the host's.

Of the host: ``/usr``, the installation that the interpreter runs from, certificate roots, a few devices, what
the host tells it (read-only: a proxy's policy, a gate's answers) and the one directory that the sidecar may
write. No home, no other bottle, no socket, and of two sidecars of one bottle neither sees what the other
does. Built in the process's own mount namespace, as whoever has CAP_SYS_ADMIN in it; what can't be built
raises OSError, and there is no sidecar.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import bot_bottle
from bot_bottle.base import linux
from bot_bottle.ipc.sidecar import SidecarSpec

EGRESS = "/etc/egress"
"""of a proxy"""
TOLD = "/etc/gate"
"""of a gate: the same, what the host alone writes"""
RUN = "/run/bot-bottle"
"""all that can be written and stays"""
KEYS = "/run/keys"
"""of a gate: memory for its key, which is a file for ``ssh`` alone"""
WORK = "/run/work"
"""of a gate: memory for what is made while it works; nothing of size"""
GITLEAKS = "/opt/gitleaks"
"""of a gate: the scanner, one binary"""

_BASE = "/tmp"  # noqa: S108  a directory that every host has; only a mount point, in our own namespace
_OLD = "/.host"

_SYSTEM_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Links into /usr on a merged system, directories on an older one."""

_DEVICES = ("null", "zero", "full", "random", "urandom")

_CERTIFICATES = (
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust/extracted",
    "/etc/crypto-policies",
    "/etc/ca-certificates/extracted",
)
"""Where Debian, Fedora, SUSE and Arch keep certificate roots and OpenSSL's settings: public, no key."""

_COPIED = ("hosts", "resolv.conf")
"""Of the host's /etc: how names are resolved, as it is at the start."""

_BIND = linux.MS_BIND | linux.MS_REC
_PLAIN = linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV
_TMPFS_OPTIONS = "mode=0755,size=1m,nr_inodes=512"


@dataclass(frozen=True)
class Extra:
    """What one kind of sidecar sees beside what all do, by place."""

    told: str
    """where ``spec.egress_dir`` is shown, read-only"""
    programs: Mapping[str, str] = field(default_factory=dict)
    """real paths on the host of files that may be run"""
    memory: Mapping[str, str] = field(default_factory=dict)
    """options of file systems in memory that are its own; nothing in them may be run"""
    directories: tuple[str, ...] = ()
    """that have to be there; an installation may lie in one of them"""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """files below ``/proc/sys``, made up: nothing of the host's is there"""


def build(spec: SidecarSpec, uid: int, extra: Extra) -> None:
    """Make the view and enter it; the host's file system is unreachable afterwards."""
    told, run = _own(spec.egress_dir), _own(spec.run_dir)
    code = code_directories((told, run))
    certificates = _certificates()
    copied = {name: _read(f"/etc/{name}") for name in _COPIED}
    copied["resolv.conf"] = without_search(copied["resolv.conf"])
    os.umask(0o022)  # what root builds here, another uid reads
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _BASE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, _TMPFS_OPTIONS)
    os.mkdir(_BASE + _OLD)
    linux.pivot_root(_BASE, _BASE + _OLD)
    os.chdir("/")
    _system(code)
    _etc(copied, certificates, uid)
    _devices()
    _proc(extra.sysctls)
    _bind(told, extra.told, _PLAIN | linux.MOUNT_ATTR_NOEXEC | linux.MOUNT_ATTR_RDONLY)
    _bind(run, RUN, _PLAIN | linux.MOUNT_ATTR_NOEXEC)
    _add(extra, uid)
    linux.umount(_OLD, linux.MNT_DETACH)
    os.rmdir(_OLD)
    flags = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
    linux.mount(None, "/", None, flags | linux.MS_NOEXEC)


def of_proxy(spec: SidecarSpec) -> Extra:
    del spec
    return Extra(told=EGRESS)


def of_gate(spec: SidecarSpec) -> Extra:
    assert spec.gate is not None
    return Extra(
        told=TOLD,
        programs={GITLEAKS: os.path.realpath(spec.gate.gitleaks)},
        memory={KEYS: "size=1m,nr_inodes=64", WORK: "size=128m,nr_inodes=65536"},
        directories=("/tmp",),  # noqa: S108  where bubblewrap builds a sandbox's root
        sysctls=dict.fromkeys(("kernel/overflowuid", "kernel/overflowgid"), "65534"),  # bubblewrap reads them
    )


def _add(extra: Extra, uid: int) -> None:
    for place, source in extra.programs.items():
        _bind(source, place, _PLAIN | linux.MOUNT_ATTR_RDONLY)
    for place in extra.directories:
        os.makedirs(place, exist_ok=True)
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    for place, options in extra.memory.items():
        os.makedirs(place, exist_ok=True)
        linux.mount("tmpfs", place, "tmpfs", flags, f"mode=0700,uid={uid},gid={uid},{options}")


def _own(path: str) -> str:
    """A directory of the bottle's, which must not be a link: what is behind it would be let in."""
    if os.path.islink(path) or not os.path.isdir(path):
        raise NotADirectoryError(20, f"{path!r} is not a directory")
    return os.path.realpath(path)


def code_directories(bottle: Iterable[str] = ()) -> list[str]:
    """The interpreter's installation and our own, where they lie outside of /usr.

    A directory that holds the bottle's own files as well (an installation in ``/`` or in the whole home)
    can't be shown; what was imported before the fork has to do then.
    """
    wanted = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    wanted |= {str(Path(bot_bottle.__file__).parent)}
    wanted |= {entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))}
    found: list[str] = []
    for path in sorted({os.path.realpath(path) for path in wanted}):
        inside = any(_is_within(path, other) for other in ["/usr", *found])
        if not inside and os.path.isdir(path) and not any(_is_within(own, path) for own in bottle):
            found.append(path)
    return found


def _certificates() -> dict[str, str]:
    """Place in the view to real path on the host."""
    paths = ssl.get_default_verify_paths()
    wanted = {*_CERTIFICATES, *(path for path in (paths.cafile, paths.capath) if path)}
    return {
        path: os.path.realpath(path)
        for path in sorted(wanted)
        if os.path.exists(path) and not _is_within(path, "/usr")
    }


def _system(code: list[str]) -> None:
    readonly = _PLAIN | linux.MOUNT_ATTR_RDONLY
    _bind("/usr", "/usr", readonly)
    for name in _SYSTEM_LINKS:
        host = f"{_OLD}/{name}"
        if os.path.islink(host):
            os.symlink(os.readlink(host), f"/{name}")
        elif os.path.isdir(host):
            _bind(f"/{name}", f"/{name}", readonly)
    for path in code:
        _bind(path, path, readonly)


def _etc(copied: dict[str, bytes], certificates: dict[str, str], uid: int) -> None:
    os.makedirs("/etc", exist_ok=True)
    files = {
        **copied,
        "passwd": f"sidecar:x:{uid}:{uid}::/:/usr/sbin/nologin\n".encode(),
        "group": f"sidecar:x:{uid}:\n".encode(),
        "nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files dns\n",
    }
    for name, content in files.items():
        Path("/etc", name).write_bytes(content)
    restricted = _PLAIN | linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOEXEC
    for place, source in certificates.items():
        if not os.path.lexists(place):
            _bind(source, place, restricted)
    if os.path.isfile(f"{_OLD}/etc/ld.so.cache"):
        _bind("/etc/ld.so.cache", "/etc/ld.so.cache", restricted)


def _devices() -> None:
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"/dev/{name}", linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NOEXEC)


def _proc(sysctls: Mapping[str, str]) -> None:
    """``subset=pid`` (Linux 5.8): processes alone, no /proc/sys, no kcore, no sysrq-trigger. *sysctls* lie in a
    place that is covered before it is hidden: it can be entered, since something is mounted there."""
    os.mkdir("/proc")
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    if not sysctls:
        linux.mount("proc", "/proc", "proc", flags, "subset=pid")
        return
    linux.mount("proc", "/proc", "proc", flags)
    linux.mount("tmpfs", "/proc/sys", "tmpfs", flags, _TMPFS_OPTIONS)
    for name, content in sysctls.items():
        path = Path("/proc/sys", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{content}\n", encoding="ascii")
    linux.mount(None, "/proc/sys", None, flags | linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY)
    linux.mount(None, "/proc", None, flags | linux.MS_REMOUNT, "subset=pid")


def _bind(source: str, target: str, attributes: int) -> None:
    """Show the host's *source* (a real path) at *target*, with everything mounted below it restricted."""
    host = _OLD + source
    if os.path.isdir(host):
        os.makedirs(target, mode=0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
    linux.mount(host, target, None, _BIND)
    linux.restrict_mounts(target, attributes)


def without_search(resolv_conf: bytes) -> bytes:
    """A name that was judged is looked up as that name, never with the host's domain behind it."""
    kept = [line for line in resolv_conf.splitlines() if line.split()[:1] not in ([b"search"], [b"domain"])]
    return b"\n".join([*kept, b"search .", b""])


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _is_within(path: str, directory: str) -> bool:
    return directory == "/" or path == directory or path.startswith(directory.rstrip("/") + "/")
