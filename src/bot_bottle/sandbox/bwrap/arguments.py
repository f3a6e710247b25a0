"""The argument list of bwrap 0.8: pure, so that what a bottle sees can be read off in one place.

The root is a read-only tmpfs of ours. The host's ``/usr`` is below it, and nothing else of the host's but
what is named here. What a bottle's root layer holds shows only below :data:`KEPT`: no entry of it can stand
in for ``/usr``, ``/lib*``, ``/etc`` or ``/run`` (rulings 6, 44; research: the root problem).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

KEPT = ("opt", "srv", "var", "mnt", "media")
"""Directories at the top whose content is the bottle's own and stays over a resume."""

VAR = ("var/tmp", "var/log", "var/lib", "var/cache")

HOST_ETC = (
    "ImageMagick-6",
    "alternatives",
    "bash.bashrc",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "fonts",
    "gai.conf",
    "host.conf",
    "inputrc",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "login.defs",
    "lsb-release",
    "magic",
    "mailcap",
    "maven/logging",
    "maven/m2.conf",
    "mime.types",
    "os-release",
    "perl",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "rpc",
    "services",
    "shells",
    "terminfo",
    "timezone",
)
"""What programs read of the host's ``/etc``; never users, keys, credentials, ``ld.so.preload`` or what
names the host."""

_TMP_BYTES = 2 * 1024**3
_RUN_BYTES = 64 * 1024**2
_SHM_BYTES = 1024**3
"""Of the tmpfs at ``/tmp``, ``/run`` and ``/dev/shm``: memory, counted to the bottle's own limit."""


@dataclass(frozen=True)
class View:
    """What the arguments are made from; every path exists when bwrap runs."""

    root: Path | None
    """the root layer as mounted, its :data:`KEPT` prepared"""
    layers: Sequence[tuple[PurePosixPath, Path]]
    """the other layers, outermost first, as mounted"""
    etc: Path
    """the composed ``/etc``: :data:`HOST_ETC` and over it the bottle's generated files"""
    sockets: Path
    mounts: Sequence[tuple[PurePosixPath, Path]]
    """read-only, of the host's"""


def usr_links(host_root: Path = Path("/")) -> Mapping[str, str | None]:
    """The host's ``/bin``, ``/lib*`` …: name to link target, None for a real directory (not merged)."""
    found: dict[str, str | None] = {}
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = host_root / name
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_dir():
            found[name] = None
    return found


def namespaces() -> list[str]:
    """Flags that make and shed: network and outer mounts are the stage's, all else bwrap's."""
    return [
        "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000",
        "--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--hostname", "bottle",
        "--unshare-cgroup-try", "--die-with-parent", "--clearenv", "--cap-drop", "ALL",
    ]  # fmt: skip


def filesystem(view: View, links: Mapping[str, str | None]) -> list[str]:
    """The mounts, in order."""
    return [
        *_system(view, links),
        *_tmpfs("/tmp", _TMP_BYTES, "1777"),  # noqa: S108
        *_tmpfs("/run", _RUN_BYTES, "0755"),
        "--ro-bind", str(view.sockets), "/run/bot-bottle",
        "--ro-bind", str(view.etc), "/etc",
        *(argument for target, source in view.layers for argument in ("--bind", str(source), str(target))),
        *(argument for target, source in view.mounts for argument in ("--ro-bind", str(source), str(target))),
        "--remount-ro", "/",
        "--chdir", "/",
    ]  # fmt: skip


def _system(view: View, links: Mapping[str, str | None]) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name, target in links.items():
        if target is None:
            yield from ("--ro-bind", f"/{name}", f"/{name}")
        else:
            yield from ("--symlink", target, f"/{name}")
    yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev")
    yield from _tmpfs("/dev/shm", _SHM_BYTES, "1777")  # noqa: S108
    if view.root is not None:
        for name in KEPT:
            yield from ("--bind", str(view.root / name), f"/{name}")


def _tmpfs(target: str, size: int, mode: str) -> list[str]:
    return ["--perms", mode, "--size", str(size), "--tmpfs", target]
