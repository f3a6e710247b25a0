"""What the gate says to upstream: which refs are there, give me what I lack, take these objects.

Each command runs in a sandbox with the network, in a bare repository that is made for it in memory: configuration,
refs and hooks are ours, and what an agent's git could have written to is seen as object directories alone. So a git
that was taken over by what it read can plant nothing that a command with a key would believe.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot_bottle.base.secret import Secret
from bot_bottle.gitgate.config import GateRepo
from bot_bottle.gitgate.refs import RefUpdate
from bot_bottle.sidecar.gate import confined, gitenv
from bot_bottle.sidecar.gate.access import Access, Door, UpstreamFailed, certificate_roots
from bot_bottle.sidecar.gate.confined import Confinement, Files
from bot_bottle.sidecar.gate.told import Told, is_progress, parse_listing, parse_push, symbolic_refs
from bot_bottle.sidecar.gate.watch import STALL_S, Stalled, Watch
from bot_bottle.sidecar.proxy.lookup import Resolver, system_resolver

MIRRORED = ("refs/heads/", "refs/tags/", "refs/notes/")
"""what a mirror holds; a forge's own refs (one for each pull request) are left where they are"""

MAX_LISTING_BYTES = 64 * 2**20
"""of what upstream says that it has: some 700,000 refs"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Advertised:
    """What upstream said that it has."""

    refs: Mapping[str, str] = field(default_factory=dict)
    """full name to object id; those that are mirrored"""
    head: str | None = None
    """the branch that ``HEAD`` stands for"""
    symbolic: frozenset[str] = frozenset()
    """branches that stand for others, which ``refs`` leave out: a push to one would move the other"""

    def fetched(self, refs: Mapping[str, str]) -> Advertised:
        """The same with *refs*, as they were when the objects came."""
        return Advertised(_without(refs, self.symbolic), self.head, self.symbolic)


@dataclass(frozen=True)
class PushResult:
    """What became of one push to upstream."""

    ok: bool
    lines: tuple[str, ...]
    """upstream's own words, without credentials"""


@dataclass(frozen=True)
class _Ended:
    status: int
    out: bytes
    lines: tuple[str, ...]


class Upstreams:
    """All upstreams of one bottle. *keys*, *work*: directories in memory, empty."""

    def __init__(
        self,
        repos: Sequence[GateRepo],
        tokens: Mapping[str, Secret],
        confinement: Confinement,
        *,
        keys: Path,
        work: Path,
        connect_to: Mapping[tuple[str, int], tuple[str, int]],
        extra_ca_pem: str = "",
        refuse_ports: Collection[int] = (),
        resolver: Resolver = system_resolver,
    ) -> None:
        """Raises OSError."""
        self._confinement, self._work = confinement, work
        self._numbers = itertools.count()
        roots = work / "roots.pem"
        roots.write_text(certificate_roots() + extra_ca_pem, encoding="utf-8")
        self._doors = {
            repo.name: Door(
                repo,
                tokens.get(repo.slot),
                keys / str(index),
                roots=roots,
                connect_to=connect_to,
                refuse_ports=refuse_ports,
                resolver=resolver,
            )
            for index, repo in enumerate(repos)
        }

    async def ls_remote(self, repo: GateRepo) -> Advertised:
        """Ask what is there. Raises :class:`UpstreamFailed`."""
        access = await self._doors[repo.name].open()
        place = self._repository()
        try:
            argv = ["git", "--git-dir", str(place), "ls-remote", "--symref", "--", access.url]
            ended = await self._run(repo, argv, access, Files(readable=(place,)))
        finally:
            _remove(place)
        if ended.status != 0:
            raise self._failed(repo, ended)
        refs, head = parse_listing(ended.out, MIRRORED)
        symbolic = symbolic_refs(ended.out)
        return Advertised(_without(refs, symbolic), head, symbolic)

    async def fetch(
        self, repo: GateRepo, objects: Path, have: Mapping[str, str], *, sha256: bool = False
    ) -> dict[str, str]:
        """Bring what is missing into *objects*, where all of *have* is; returns the refs as they were then.

        Raises :class:`UpstreamFailed`.
        """
        access = await self._doors[repo.name].open()
        place = self._repository(have, sha256=sha256)
        try:
            argv = [
                "git",
                "--git-dir",
                str(place),
                "fetch",
                "--no-tags",
                "--prune",
                "--progress",
                "--no-auto-gc",
            ]
            argv += ["--no-write-fetch-head", "--", access.url, *(f"+{each}*:{each}*" for each in MIRRORED)]
            files = Files(readable=(objects / "info",), writable=(place, objects))
            ended = await self._run(
                repo, argv, access, files, gitenv.FETCHING, {"GIT_OBJECT_DIRECTORY": str(objects)}
            )
            if ended.status != 0:
                raise self._failed(repo, ended)
            return await self._refs_in(place, objects)
        finally:
            _remove(place)

    async def push(
        self,
        repo: GateRepo,
        updates: Sequence[RefUpdate],
        *,
        objects: Path,
        alternates: Sequence[Path] = (),
        progress: Say | None = None,
        sha256: bool = False,
    ) -> PushResult:
        """Hand on *updates* by their object ids, all or none, each only where upstream still has its ``old``.

        *objects*, *alternates*: directories where the objects are. An upstream that can't do several at once takes
        a single one (ruling 69). Raises :class:`UpstreamFailed` when it could not be asked, or its answer is lost.
        """
        access = await self._doors[repo.name].open()
        told = await self._push(repo, access, updates, objects, alternates, progress, sha256, atomic=True)
        if told.not_atomic:
            if len(updates) > 1:
                return PushResult(False, ("upstream can't take several refs at once: push one at a time",))
            told = await self._push(
                repo, access, updates, objects, alternates, progress, sha256, atomic=False
            )
        if told.refused is None:
            return await self._look_again(repo, updates, told)
        return PushResult(not told.refused, tuple(told.lines))

    async def _push(
        self,
        repo: GateRepo,
        access: Access,
        updates: Sequence[RefUpdate],
        objects: Path,
        alternates: Sequence[Path],
        progress: Say | None,
        sha256: bool,
        *,
        atomic: bool,
    ) -> Told:
        place = self._repository(sha256=sha256)
        argv = [
            "git",
            "--git-dir",
            str(place),
            "push",
            "--porcelain",
            "--progress",
            "--no-verify",
            "--no-signed",
        ]
        argv += ["--atomic"] if atomic else []
        argv += [f"--force-with-lease={each.ref}:{'' if each.creates else each.old}" for each in updates]
        argv += ["--", access.url, *(f"{'' if each.deletes else each.new}:{each.ref}" for each in updates)]
        stores = (objects, *alternates)
        env = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(str(path) for path in stores)}
        try:
            files = Files(readable=stores, writable=(place,))
            ended = await self._run(repo, argv, access, files, env=env, progress=progress)
        finally:
            _remove(place)
        mask = self._doors[repo.name].mask
        return parse_push(ended.status, mask(ended.out.decode("utf-8", "replace")), ended.lines)

    async def _look_again(self, repo: GateRepo, updates: Sequence[RefUpdate], told: Told) -> PushResult:
        """The connection ended before the answer was there: whether it was taken is seen in upstream's refs."""
        try:
            refs = (await self.ls_remote(repo)).refs
        except UpstreamFailed:
            raise UpstreamFailed(
                "\n".join([*told.lines, "upstream's answer is lost: look there before pushing again"])
            ) from None
        taken = all(refs.get(each.ref) == (None if each.deletes else each.new) for each in updates)
        return PushResult(taken, tuple(told.lines))

    async def _refs_in(self, place: Path, objects: Path) -> dict[str, str]:
        argv = ["git", "--git-dir", str(place), "for-each-ref", "--format=%(objectname) %(refname)"]
        files = Files(readable=(place, objects))
        env = gitenv.environment(extra={"GIT_OBJECT_DIRECTORY": str(objects)})
        async with confined.running(self._confinement.wrap(argv, files, env)) as process:
            out, _ = await process.communicate()
        if process.returncode != 0:
            raise UpstreamFailed("what was fetched could not be read")
        pairs = (line.split(" ", 1) for line in out.decode().splitlines())
        return {ref: oid for oid, ref in pairs}

    async def _run(
        self,
        repo: GateRepo,
        argv: Sequence[str],
        access: Access,
        files: Files,
        settings: gitenv.Settings | None = None,
        env: Mapping[str, str] | None = None,
        progress: Say | None = None,
    ) -> _Ended:
        """One command with the network and the key. Raises :class:`UpstreamFailed` when it stalls."""
        scheme = access.env["GIT_ALLOW_PROTOCOL"]
        merged = {**(settings or {}), f"protocol.{scheme}.allow": "always", **access.settings}
        whole = gitenv.environment(merged, {**access.env, **(env or {})})
        seen = Files(readable=(*files.readable, *access.readable), writable=files.writable)
        mask = self._doors[repo.name].mask
        lines: list[str] = []

        def take(line: str) -> None:
            text = mask(line)
            if progress is not None:
                progress(text)
            if not is_progress(text):
                lines.append(text)
                del lines[:-50]  # the last ones say why it failed

        try:
            async with confined.running(self._confinement.wrap(argv, seen, whole, network=True)) as process:
                out = await _talk(process, take)
        except Stalled as error:
            raise UpstreamFailed("\n".join([*lines, f"upstream: {error}"])) from error
        return _Ended(process.returncode or 0, out, tuple(lines))

    def _failed(self, repo: GateRepo, ended: _Ended) -> UpstreamFailed:
        text = "\n".join(ended.lines) or f"git ended with status {ended.status}"
        return UpstreamFailed(self._doors[repo.name].mask(text))

    def _repository(self, refs: Mapping[str, str] | None = None, *, sha256: bool = False) -> Path:
        """A bare repository for one command, with *refs*."""
        place = self._work / f"upstream-{next(self._numbers)}.git"
        confined.bare_repository(place, confined.CONFIG_SHA256 if sha256 else confined.CONFIG)
        confined.write_refs(place, refs or {})
        return place


async def _talk(process: asyncio.subprocess.Process, take: Say) -> bytes:
    """Read both outputs to their ends; standard error goes to *take* by lines. Raises :class:`Stalled`, and
    :class:`UpstreamFailed` when there is too much."""
    assert process.stdout is not None and process.stderr is not None
    watch = Watch(process.pid, stall_s=STALL_S)
    out, rest = bytearray(), b""

    async def read_out(stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(2**16):
            watch.moved()
            out.extend(piece)
            if len(out) > MAX_LISTING_BYTES:
                raise UpstreamFailed("upstream says more than can be taken")

    async def read_err(stream: asyncio.StreamReader) -> None:
        nonlocal rest
        while piece := await stream.read(2**12):
            watch.moved()
            *whole, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
            rest = rest[-4096:]
            for line in whole:
                if line.strip():
                    take(line.decode("utf-8", "replace").rstrip())

    guard: asyncio.Future[object] = asyncio.ensure_future(watch.stalled())
    work: asyncio.Future[object] = asyncio.ensure_future(
        _all(read_out(process.stdout), read_err(process.stderr), process.wait())
    )
    try:
        both: set[asyncio.Future[object]] = {guard, work}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await guard
        await work
    finally:
        guard.cancel()
        work.cancel()
        await asyncio.gather(guard, work, return_exceptions=True)
    if rest.strip():
        take(rest.decode("utf-8", "replace").rstrip())
    return bytes(out)


async def _all(*jobs: Awaitable[object]) -> None:
    await asyncio.gather(*jobs)


def _without(refs: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {ref: oid for ref, oid in refs.items() if ref not in names}


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
