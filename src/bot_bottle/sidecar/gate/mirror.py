"""A bare copy of one upstream: what upstream gave, and nothing else. No git that an agent talks to can write to it.

Refs are one file, replaced in one step, by the gate itself; objects are added by the fetch alone, each file under its
name only when it is whole. So a gate that is killed at any moment leaves a mirror that the next fetch completes.

A fetch is asked for when somebody looks at the refs; a turn serves all that ask before it has begun. Who asks while
one is under way waits for the next: upstream may have moved since that one looked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bot_bottle.gitgate.config import GateRepo
from bot_bottle.sidecar.gate import confined
from bot_bottle.sidecar.gate.access import UpstreamFailed
from bot_bottle.sidecar.gate.told import is_object_id
from bot_bottle.sidecar.gate.upstream import Advertised, Upstreams

Note = Callable[[str], None]

_HEX = frozenset("0123456789abcdef")
_PACK_ENDS = (".pack", ".idx", ".rev")
MAX_REFS_BYTES = 64 * 2**20
"""of a file of refs that is taken over from an earlier run"""


class Mirror:
    """Of one repository; ``prepare`` comes first."""

    def __init__(self, repo: GateRepo, path: Path, upstreams: Upstreams, *, warn: Note) -> None:
        """*warn* is told when something old is served (``stale_ok``)."""
        self.repo, self.path = repo, path
        self.objects = path / "objects"
        self.refs: Mapping[str, str] = {}
        """what upstream said when it was last asked; empty before"""
        self.is_sha256 = False
        self._upstreams, self._warn = upstreams, warn
        self._kept: Mapping[str, str] = {}
        """refs of an earlier run, not checked: their objects may be there"""
        self._asked = False
        self._next: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Make it a repository of ours, whatever lies there: of an earlier run, objects and refs alone are kept.

        Raises OSError.
        """
        _directory(self.path)
        self.is_sha256 = _reads(self.path / "config") == confined.CONFIG_SHA256
        self._kept = _read_refs(self.path / "packed-refs")
        for name in os.listdir(self.path):
            if name != "objects":
                _remove(self.path / name)
        _directory(self.objects)
        _clean(self.objects)
        self._write_frame()

    async def refresh(self) -> None:
        """Ask upstream, and bring what is new. Raises :class:`UpstreamFailed` with upstream's words."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._turn(self._running))
            self._next.add_done_callback(_look_at)
        await asyncio.shield(self._next)

    async def refresh_for_fetch(self) -> None:
        """The same for somebody who only reads: with ``stale_ok`` what was here before is good enough."""
        try:
            await self.refresh()
        except UpstreamFailed as error:
            if not (self.repo.policy.stale_ok and (self._asked or self._kept)):
                raise
            if not self._asked:
                self._install(Advertised(self._kept))
            self._warn(str(error))

    async def _turn(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._running, self._next = self._next, None
        found = await self._upstreams.ls_remote(self.repo)
        self._take_format(found.refs)
        known = set(self.refs.values())
        if any(oid not in known for oid in found.refs.values()):
            have = self.refs or self._kept
            found = found.fetched(await self._fetch(have))
        self._install(found)

    async def _fetch(self, have: Mapping[str, str]) -> Mapping[str, str]:
        try:
            return await self._upstreams.fetch(self.repo, self.objects, have, sha256=self.is_sha256)
        except UpstreamFailed:
            if self._asked or not self._kept:
                raise
        # what an earlier run left may be what made it fail
        self._forget()
        return await self._upstreams.fetch(self.repo, self.objects, {}, sha256=self.is_sha256)

    def _install(self, found: Advertised) -> None:
        confined.write_refs(self.path, found.refs)
        head = self.path / "HEAD.new"
        head.write_bytes(os.fsencode(f"ref: {found.head or 'refs/heads/main'}\n"))
        head.replace(self.path / "HEAD")
        self.refs, self._asked = dict(found.refs), True

    def _take_format(self, refs: Mapping[str, str]) -> None:
        """A repository names its objects by one hash; which one is seen in what upstream has."""
        sha256 = any(len(oid) == 64 for oid in refs.values())
        if refs and sha256 != self.is_sha256:
            self.is_sha256 = sha256
            self._forget()

    def _forget(self) -> None:
        _remove(self.objects)
        self._kept = self.refs = {}
        self._write_frame()

    def _write_frame(self) -> None:
        config = confined.CONFIG_SHA256 if self.is_sha256 else confined.CONFIG
        confined.bare_repository(self.path, config)
        confined.write_refs(self.path, {})


@contextlib.contextmanager
def incoming(mirror: Mirror, place: Path) -> Iterator[Path]:
    """A repository at *place* for one push: the refs of *mirror*, its objects behind a pointer, nothing of its own.

    What the push brings lies in it until the end. Raises OSError.
    """
    _remove(place)
    try:
        confined.bare_repository(place, confined.CONFIG_SHA256 if mirror.is_sha256 else confined.CONFIG)
        (place / "objects/info/alternates").write_bytes(os.fsencode(mirror.objects) + b"\n")
        confined.write_refs(place, mirror.refs)
        yield place
    finally:
        with contextlib.suppress(OSError):
            _remove(place)


def _look_at(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # whoever still waits is told


def _directory(path: Path) -> None:
    """Make *path* a directory, and no link to one."""
    if path.is_symlink() or not path.is_dir():
        _remove(path)
        path.mkdir(mode=0o700, parents=True)


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)


def _clean(objects: Path) -> None:
    """Leave loose objects and packs: no pointers to other stores, locks, half files of a killed git, links."""
    for name in os.listdir(objects):
        inside = objects / name
        is_loose = len(name) == 2 and set(name) <= _HEX
        if inside.is_symlink() or not inside.is_dir() or not (is_loose or name == "pack"):
            _remove(inside)
            continue
        for file in os.listdir(inside):
            stem, dot, end = file.partition(".")
            good = set(file) <= _HEX if is_loose else stem.startswith("pack-") and f"{dot}{end}" in _PACK_ENDS
            if not good or not stat.S_ISREG((inside / file).lstat().st_mode):
                _remove(inside / file)


def _reads(path: Path) -> bytes:
    """A regular file's content, if it is not larger than all that we write; else nothing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return b""
        data = file.read(MAX_REFS_BYTES + 1)
    return data if len(data) <= MAX_REFS_BYTES else b""


def _read_refs(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in os.fsdecode(_reads(path)).split("\n"):
        oid, _, ref = line.partition(" ")
        if is_object_id(oid) and ref.startswith("refs/"):
            found[ref] = oid
    return found
