"""Everything that a push adds, looked at by both scanners at once: its objects, names and changes.

::

    rev-list --objects  ->  cat-file --batch-check: kinds and sizes, held against the limits
                        ->  cat-file --batch  ->  our scanner, object by object, never a large one as a whole
    commits             ->  diff-tree: changed paths (rules, names), and where findings lie
    gitleaks            ->  beside these (``leaks``)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from bot_bottle.dlp.redact import redact_text
from bot_bottle.gitgate import plan
from bot_bottle.gitgate.changes import Change, ChangeReader
from bot_bottle.gitgate.config import GateRepo
from bot_bottle.gitgate.findings import GateFinding, Place, placed
from bot_bottle.gitgate.lfs import Pointer
from bot_bottle.gitgate.listing import BatchReader, Listing
from bot_bottle.gitgate.objects import ObjectScan
from bot_bottle.gitgate.plan import Step
from bot_bottle.gitgate.refs import RefUpdate, is_object_id
from bot_bottle.gitgate.survey import Survey, Touched
from bot_bottle.sidecar.gate.commands import Store, Unscanned, lines
from bot_bottle.sidecar.gate.leaks import LARGE_BYTES
from bot_bottle.sidecar.gate.looker import Looker

MAX_OBJECT_BYTES = 2**30
"""of one file: git streams it, and our scanner looks at a few MB of it a second"""
MAX_DELTA_BYTES = 96 * 2**20
"""of one file that is stored as a difference: git holds it and what it differs from in memory"""
MAX_TOTAL_BYTES = 8 * 2**30
"""of all objects, unpacked: a pack of 256 MiB can hold a thousand times as much, and each is looked at"""
MAX_OBJECTS = 400_000
"""of one push; what is held of each keeps gate and git within 400 MB (measured: 700,000 took 610 MB)"""
MAX_NAMES = 100_000
"""paths that are remembered as looked at; after that some are looked at twice"""

_CHECK = Step(
    ("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize) %(deltabase)", "--buffer")
)
Say = Callable[[str], None]


@dataclass
class Listed:
    """What a push adds."""

    paths: Mapping[str, bytes]
    """object id to one path of it"""
    commits: list[str] = field(default_factory=list)
    """the last ones first, as git lists them"""
    blobs: set[str] = field(default_factory=set)
    large: list[str] = field(default_factory=list)
    """blobs that gitleaks reads by themselves"""
    total_bytes: int = 0


@dataclass(frozen=True)
class Seen:
    """What our scanner and the rules of files have seen."""

    findings: tuple[GateFinding, ...] = ()
    unlisted: int = 0
    pointers: tuple[Pointer, ...] = ()
    touched: Touched = field(default_factory=Touched)
    places: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """object id of a finding or of a large blob to path and commit"""
    loose: tuple[str, ...] = ()
    """blobs that no commit brings: of tags of files and trees. ``git log`` does not show them"""
    parts: frozenset[str] = frozenset()
    """known secrets of which a part was there, and no whole"""


async def list_objects(store: Store, news: Sequence[str], known: Collection[str]) -> Listed:
    """What *news* bring that *known* do not have. Raises :class:`commands.Unscanned`, with a sentence for what is too
    large, and ``listing.GitOutputError``."""
    listing = Listing()

    async def take(piece: bytes) -> None:
        listing.feed(piece)
        if len(listing.paths) > MAX_OBJECTS:
            raise Unscanned(f"the push brings more than {MAX_OBJECTS:,} objects: push in parts")

    await store.run(plan.objects(news, known), take)
    listing.finish()
    listed = Listed(listing.paths)
    rest, order = b"", iter(listed.paths)

    async def measure(piece: bytes) -> None:
        nonlocal rest
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            _measure(listed, next(order, ""), line)

    await store.feed(_CHECK, lines(list(listed.paths)), measure)
    if rest or next(order, ""):
        raise Unscanned("git breaks off its list of objects")
    return listed


def _measure(listed: Listed, object_id: str, line: bytes) -> None:
    """*object_id*: the one that was asked for; git answers in that order."""
    parts = line.decode("ascii", "replace").split(" ")
    if len(parts) != 4 or not parts[2].isdigit() or not is_object_id(parts[3]) or parts[0] != object_id:
        raise Unscanned("git lacks an object of the push")
    kind, size = parts[1], int(parts[2])
    listed.total_bytes += size
    shown = f"an object of {size:,} bytes ({object_id[:12]})"
    if size > MAX_OBJECT_BYTES:
        raise Unscanned(f"{shown} is more than the gate looks at ({MAX_OBJECT_BYTES:,})")
    if size > MAX_DELTA_BYTES and parts[3].strip("0"):
        raise Unscanned(
            f"{shown} is stored as a difference from another, which is more than the gate can hold"
        )
    if listed.total_bytes > MAX_TOTAL_BYTES:
        raise Unscanned(
            f"the push unpacks to more than the gate looks at ({MAX_TOTAL_BYTES:,} bytes): push in parts"
        )
    if kind == "commit":
        listed.commits.append(object_id)
    elif kind == "blob":
        listed.blobs.add(object_id)
        if size > LARGE_BYTES:
            listed.large.append(object_id)


class Sight:
    """Our scanner's way through one push. One push at a time has one."""

    def __init__(self, store: Store, looker: Looker, listed: Listed, repo: GateRepo, say: Say) -> None:
        self._store, self._looker, self._listed, self._say = store, looker, listed, say
        self._policy = repo.policy
        self._scan = ObjectScan(looker.engine, listed.paths, looker.note(repo.host))
        self._named: set[bytes] = set()
        self._loose = listed.blobs  # until a commit is seen that brings it
        self._loose.difference_update(listed.large)

    async def look(
        self,
        updates: Sequence[RefUpdate],
        theirs: Mapping[bytes, tuple[int, str]] | None,
        tips: Iterable[RefUpdate],
    ) -> Seen:
        """All of it. *theirs*, *tips*: as ``survey.Survey.take_tip`` has it, and the refs that have an old commit.

        Raises :class:`commands.Unscanned`, and what the readers and the scanner raise.
        """
        refs = [update.ref.encode() for update in updates if not update.deletes]
        await self._looker.run(self._scan.names, Place.REF, refs)
        await self._objects()
        wanted = frozenset((*self._scan.wanted, *self._listed.large))
        survey = Survey(self._policy, wanted, redact=partial(redact_text, self._looker.engine))
        self._say("looking at the names of changed files")
        await self._changes(plan.changes(), lines(self._listed.commits), ChangeReader(), self._taker(survey))
        for update in tips:
            reader = ChangeReader(update.new)
            step = plan.tip_changes(update.old, update.new)
            await self._changes(step, (), reader, lambda change: survey.take_tip(change, theirs))
        found = placed(self._scan.findings, survey.places)
        pointers, loose = self._pointers(survey), tuple(sorted(self._loose))
        parts = frozenset(self._scan.parts)
        return Seen(found, self._scan.unlisted, pointers, survey.touched, survey.places, loose, parts)

    def _pointers(self, survey: Survey) -> tuple[Pointer, ...]:
        out = []
        for pointer in self._scan.pointers:
            path, commit = survey.places.get(pointer.object_id, (pointer.path, ""))
            out.append(Pointer(pointer.object_id, path, commit))
        return tuple(out)

    async def _objects(self) -> None:
        reader = BatchReader()
        total = len(self._listed.paths)
        commits = len(self._listed.commits)

        def work(piece: bytes) -> None:
            for event in reader.feed(piece):
                self._scan.take(event)

        async def take(piece: bytes) -> None:
            await self._looker.run(work, piece)
            done = self._scan.objects
            self._say(
                f"scanning {done:,} of {total:,} objects ({min(done, commits):,} of {commits:,} commits, "
                f"{self._scan.bytes >> 20:,} of {self._listed.total_bytes >> 20:,} MiB)"
            )

        await self._store.feed(plan.batch(), lines(list(self._listed.paths)), take)
        reader.finish()
        if self._scan.missing(self._listed.paths):
            raise Unscanned("git gave fewer objects than it had listed")

    async def _changes(
        self, step: Step, stdin: Iterable[bytes], reader: ChangeReader, act: Callable[[Change], None]
    ) -> None:
        def work(piece: bytes) -> None:
            for change in reader.feed(piece):
                act(change)

        await self._store.feed(step, stdin, lambda piece: self._looker.run(work, piece))
        reader.finish()

    def _taker(self, survey: Survey) -> Callable[[Change], None]:
        def act(change: Change) -> None:
            survey.take(change)
            self._loose.discard(change.new)
            self._name(change)

        return act

    def _name(self, change: Change) -> None:
        """A whole path: a secret may stand across a file's name and its directory's."""
        if change.gone or change.path in self._named:
            return
        if len(self._named) >= MAX_NAMES:
            self._named.clear()
        self._named.add(change.path)
        before = len(self._scan.findings)
        self._scan.names(Place.FILE_NAME, (change.path,))
        for index in range(before, len(self._scan.findings)):
            self._scan.findings[index] = replace(self._scan.findings[index], commit=change.commit)


async def both(
    first: asyncio.Task[Seen], second: asyncio.Task[tuple[GateFinding, ...]]
) -> tuple[Seen, tuple[GateFinding, ...]]:
    """The results of both; when one fails, the other is ended first, and the failure raised."""
    try:
        await asyncio.gather(first, second)
        return first.result(), second.result()
    finally:
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
