"""After the end: is there work in the bottle's overlays that nobody has taken out (ruling 51)?

Looks at what the agent changed, made or deleted in the upper layers; reads only, by descriptor, follows
no link, never raises on what a bottle left. When in doubt (unreadable, too deep, too much) it counts as
work: a directory that is kept for nothing costs disk, one that is deleted costs the work.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from bot_bottle.base.text import printable
from bot_bottle.providers.contract import GUEST_HOME, GUEST_WORKSPACE, GuestFile
from bot_bottle.store.guests import GuestDirs

MAX_COUNTED = 10_000
"""Changes; what is beyond is "more"."""
MAX_LOOKED_AT = 200_000
"""Entries, scratch included: a bottle may have left a million files in its cache."""
MAX_DEPTH = 128
MAX_NAMED = 5
"""Paths named for each layer."""
MAX_COMPARED_BYTES = 64 * 1024 * 1024
"""Content compared in all, to tell a touched file from a changed one; beyond that it counts as changed."""

ROOT_SCRATCH = (
    "/tmp", "/var/tmp", "/run", "/dev", "/proc", "/sys", "/var/cache", "/var/log",  # noqa: S108
)  # fmt: skip
"""Nobody's work."""
HOME_SCRATCH = (
    ".bash_history", ".cache", ".lesshst", ".node_repl_history", ".python_history", ".viminfo", ".wget-hsts",
)  # fmt: skip
"""What programs keep for themselves whoever uses them."""
WORKSPACE_SCRATCH = (".git/index",)
"""``git status`` writes it; real work shows in files, objects or refs."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OPAQUE = ("user.overlay.opaque", "trusted.overlay.opaque")


class LayerLeftovers(Struct, frozen=True):
    """The changes in one layer."""

    name: str
    """``workspace``, ``home`` or ``root``"""
    upper: Path
    """where they lie on the host"""
    count: int
    """at most :data:`MAX_COUNTED`"""
    paths: tuple[str, ...]
    """the first few, as seen inside, printable"""
    complete: bool
    """False: there may be more than ``count``"""


class Leftovers(Struct, frozen=True):
    """True when there is something that would be lost with the state directory."""

    layers: tuple[LayerLeftovers, ...]
    """those with changes, workspace first"""

    @property
    def count(self) -> int:
        return sum(layer.count for layer in self.layers)

    @property
    def complete(self) -> bool:
        return all(layer.complete for layer in self.layers)

    def __bool__(self) -> bool:
        return bool(self.layers)


def unapplied(
    dirs: GuestDirs, provisioned: Iterable[GuestFile] = (), scratch: Collection[PurePosixPath] = ()
) -> Leftovers:
    """What the overlays of a stopped bottle hold beyond what we put there.

    *provisioned* are the files that the launch wrote inside, no work while they are as written; *scratch*
    are paths inside (files or whole directories) that the agent's tool keeps for itself. Never raises on
    content; a layer that can't be read counts as one change.
    """
    written = {_parts(file.path): file.content for file in provisioned}
    ignored = {_parts(path) for path in scratch} | {_parts(path) for path in ROOT_SCRATCH}
    ignored |= {_parts(GUEST_WORKSPACE / name) for name in WORKSPACE_SCRATCH}
    ignored |= {_parts(GUEST_HOME / name) for name in HOME_SCRATCH}
    budget = _Budget()
    layers = (
        _Layer("workspace", _parts(GUEST_WORKSPACE), dirs.workspace_upper, dirs.workspace_lower),
        _Layer("home", _parts(GUEST_HOME), dirs.home_upper, dirs.home_lower),
        _Layer("root", (), dirs.root_upper, dirs.root_lower),
    )
    generated = _generated(dirs.etc)
    found = [_Look(layer, written, ignored, generated, budget).run() for layer in layers]
    return Leftovers(tuple(layer for layer in found if layer.count or not layer.complete))


class _Budget(Struct):
    looked_at: int = 0
    compared: int = 0


class _Layer(Struct, frozen=True):
    name: str
    target: tuple[str, ...]
    upper: Path
    lower: Path


class _Stop(Exception):
    """Enough was seen."""


class _Look:
    """One walk through an upper layer, beside its lower layer."""

    def __init__(
        self, layer: _Layer, written: dict[tuple[str, ...], bytes], ignored: set[tuple[str, ...]],
        generated: frozenset[tuple[str, ...]], budget: _Budget,
    ) -> None:  # fmt: skip
        self._layer = layer
        self._written = written
        self._ignored = ignored
        self._generated = generated
        self._budget = budget
        self._count = 0
        self._paths: list[str] = []
        self._complete = True

    def run(self) -> LayerLeftovers:
        try:
            upper = os.open(self._layer.upper, _DIRECTORY)
        except FileNotFoundError:
            upper = None
        except OSError:
            upper = None
            self._change(self._layer.target)
        if upper is not None:
            lower = _open(self._layer.lower, None)
            try:
                self._directory(upper, lower, self._layer.target, 0)
            except _Stop:
                self._complete = False
            finally:
                os.close(upper)
                if lower is not None:
                    os.close(lower)
        return LayerLeftovers(
            self._layer.name, self._layer.upper, self._count, tuple(self._paths), self._complete
        )

    def _directory(self, upper: int, lower: int | None, path: tuple[str, ...], depth: int) -> None:
        try:
            with os.scandir(upper) as entries:
                for entry in entries:
                    self._budget.looked_at += 1
                    if self._budget.looked_at > MAX_LOOKED_AT:
                        raise _Stop
                    self._entry(upper, lower, entry.name, (*path, entry.name), depth)
        except OSError:
            self._change(path)

    def _entry(self, upper: int, lower: int | None, name: str, path: tuple[str, ...], depth: int) -> None:
        if path in self._ignored:
            return
        try:
            found = os.stat(name, dir_fd=upper, follow_symlinks=False)
        except OSError:
            self._change(path)
            return
        below = _stat(name, lower)
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
            if below is not None:  # a whiteout: deleted
                self._change(path)
        elif stat.S_ISDIR(found.st_mode):
            self._subdirectory(upper, lower, name, path, depth, below)
        elif not self._is_as_it_was(upper, lower, name, path, found, below):
            self._change(path)

    def _subdirectory(
        self, upper: int, lower: int | None, name: str, path: tuple[str, ...], depth: int,
        below: os.stat_result | None,
    ) -> None:  # fmt: skip
        if depth >= MAX_DEPTH:
            self._change(path)
            return
        child = _open(name, upper)
        if child is None:
            self._change(path)
            return
        beside = _open(name, lower) if below is not None and stat.S_ISDIR(below.st_mode) else None
        try:
            if below is not None and beside is None:
                self._change(path)  # it took the place of a file
            elif beside is not None and _is_opaque(child):
                self._change(path)  # deleted and made anew: what was in it is gone
            self._directory(child, beside, path, depth + 1)
        finally:
            os.close(child)
            if beside is not None:
                os.close(beside)

    def _is_as_it_was(
        self, upper: int, lower: int | None, name: str, path: tuple[str, ...], found: os.stat_result,
        below: os.stat_result | None,
    ) -> bool:  # fmt: skip
        """Whether a file or link has the content that the launch gave it, or that lies below it."""
        written = self._written.get(path)
        if written is not None and stat.S_ISREG(found.st_mode):
            return found.st_size == len(written) and self._read(upper, name, len(written)) == written
        if path in self._generated and stat.S_ISREG(found.st_mode) and found.st_size == 0:
            return True  # what a generated file was bound over
        if below is None or lower is None or stat.S_IFMT(found.st_mode) != stat.S_IFMT(below.st_mode):
            return False
        try:
            if stat.S_ISLNK(found.st_mode):
                return os.readlink(name, dir_fd=upper) == os.readlink(name, dir_fd=lower)
        except OSError:
            return False
        if not stat.S_ISREG(found.st_mode) or found.st_size != below.st_size:
            return False
        if stat.S_IMODE(found.st_mode) != stat.S_IMODE(below.st_mode):
            return False
        content = self._read(upper, name, found.st_size)
        return content is not None and content == self._read(lower, name, found.st_size)

    def _read(self, directory: int, name: str, size: int) -> bytes | None:
        """The content of a regular file of *size* bytes; None when it is another, or too much in all."""
        self._budget.compared += size
        if self._budget.compared > MAX_COMPARED_BYTES:
            return None
        try:
            fd = os.open(name, _FILE, dir_fd=directory)
        except OSError:
            return None
        try:
            content = bytearray()
            while len(content) <= size:
                block = os.read(fd, size + 1 - len(content))
                if not block:
                    return bytes(content) if len(content) == size else None
                content += block
        except OSError:
            pass
        finally:
            os.close(fd)
        return None

    def _change(self, path: tuple[str, ...]) -> None:
        self._count += 1
        if len(self._paths) < MAX_NAMED:
            self._paths.append(printable("/" + "/".join(path), limit=300))
        if self._count >= MAX_COUNTED:
            raise _Stop


def _generated(etc: Path) -> frozenset[tuple[str, ...]]:
    """Paths of the files that are bound over ``/etc``, for which a mount point may have been made."""
    found: set[tuple[str, ...]] = set()
    for directory, _, names in os.walk(etc):
        below = Path(directory).relative_to(etc).parts
        found.update(("etc", *below, name) for name in names)
    return frozenset(found)


def _parts(path: PurePosixPath | str) -> tuple[str, ...]:
    return tuple(part for part in str(path).split("/") if part)


def _open(name: str | Path, parent: int | None) -> int | None:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError:
        return None


def _stat(name: str, directory: int | None) -> os.stat_result | None:
    if directory is None:
        return None
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return None


def _is_opaque(directory: int) -> bool:
    for name in _OPAQUE:
        try:
            if os.getxattr(directory, name) == b"y":
                return True
        except OSError:
            continue
    return False
