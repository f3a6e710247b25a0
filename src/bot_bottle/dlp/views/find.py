"""All views of one text, one layer deep; each gives those of the next (see the package for the caller's side).

The order, and who pays for what: first what does not grow (runs, escapes, wide text), smallest first, then what
does not grow but holds packed data, then packed data, in rounds. Each has its share of the budget (``budget.Shares``)
for itself and for its own views; what one leaves over is for those after it. What did not get through is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct

from bot_bottle.dlp.budget import FLOOR_BYTES, Budget, Shares
from bot_bottle.dlp.views import escapes, packed, plain, quoted, runs, shapes, spelled, triggers
from bot_bottle.dlp.views.carry import Carry, OpenPacked, OpenRun
from bot_bottle.dlp.views.job import Job
from bot_bottle.dlp.views.regions import Joined, Unescaped
from bot_bottle.dlp.views.shapes import LongRuns
from bot_bottle.dlp.views.triggers import Sign, Signs, signs
from bot_bottle.dlp.views.view import Undecoded, View, Where

MAX_DEPTH = 3
"""layers (dlp.md section 1)"""
_MIN_TEXT = 16
"""bytes: less holds no credential in any encoding"""
_PARTLY = frozenset((escapes.KIND, "quoted", "utf7"))
"""kinds whose data is partly as it stands in the text"""
_INNER_BYTES = 64 * 1024
"""that the inside of a piece may have, if half of its share is as much"""
_EVEN_BYTES = 64 * 1024
"""what packed data weighs against the rest: its size is not known"""
_TOLD = 16
_WAITING = 8
"""packed data that is kept for another round; each holds its window"""
_DEEP_SIGNS = frozenset((Sign.GZIP, Sign.ZSTD, Sign.ZIP, Sign.BZIP2, Sign.XZ))

Items = Iterator[View | Undecoded]


class _Steady(Struct):
    """A candidate whose data is no larger than it is, decoded."""

    kind: str
    data: bytes
    start: int
    end: int
    fresh: int
    where: Where | None
    inner: Carry
    goes_on: bool = False
    found: Signs | None = None
    """what the first pass sees in the data"""


def find_views(
    text: bytes,
    budget: Budget,
    depth: int = 0,
    carry: Carry | None = None,
    fresh: int = 0,
    last: bool = True,
    found: Signs | None = None,
) -> Items:
    """The views of *text*, a whole one or a block of a stream.

    ``fresh``: how many of its first bytes were in the block before; at least 64 of a block must be, so that marks on
    its border are seen. ``last``: nothing follows. ``carry``: the same for all blocks of a stream.
    ``found``: what the first pass saw in *text*, if it was asked already.
    """
    if depth == 0:
        budget.grow(len(text) - fresh)
    if len(text) < _MIN_TEXT and (carry is None or not (carry.runs or carry.packed)):
        return
    found = found or signs(text)
    if depth >= MAX_DEPTH:
        yield from _too_deep(text, found)
        return
    yield from _Finder(text, budget, depth, carry or Carry(), fresh, last).items(found)


def prepare() -> None:
    """Make what nearly each call needs (some 0.2 s), once, in the process that forks; otherwise the first call does."""
    triggers.prepare()
    shapes.prepare()


def _too_deep(text: bytes, found: Signs) -> Iterator[Undecoded]:
    """There is another layer below the last that is looked at."""
    for mark in packed.marks(text, [one for one in found.packed if one[0] in _DEEP_SIGNS], 0, len(text)):
        unpacker = mark.unpacker()
        unpacker.give(text, mark.start)
        if unpacker.read(_MIN_TEXT) or unpacker.refused:
            yield Undecoded(mark.kind, mark.start, len(text))
    for alphabet, at in LongRuns(text).shaped():
        yield Undecoded(alphabet.kind, max(0, at - 24), at)


class _Finder:
    def __init__(self, text: bytes, budget: Budget, depth: int, carry: Carry, fresh: int, last: bool) -> None:
        self._text = text
        self._budget = budget
        self._depth = depth
        self._carry = carry
        self._fresh = fresh
        self._last = last

    def items(self, found: Signs) -> Items:
        """All; of what could not be looked at, the first few say enough."""
        told = 0
        for item in self._all(found):
            told += isinstance(item, Undecoded)
            if told <= _TOLD or isinstance(item, View):
                yield item

    def _all(self, found: Signs) -> Items:
        calm: list[_Steady] = []
        hungry: list[_Steady] = []
        for one in (*self._runs(found), *self._regions(found)):
            if len(one.data) >= runs.MIN_BYTES or one.goes_on:
                one.found = signs(one.data)
                (hungry if one.found.packed or one.inner.packed else calm).append(one)
        calm.sort(key=lambda one: len(one.data))
        hungry.sort(key=lambda one: len(one.data))
        jobs = self._jobs(found)
        sizes = [*(len(one.data) for one in calm), *([_EVEN_BYTES] * (len(hungry) + len(jobs)))]
        shares = Shares(self._budget, sizes)
        for one in calm:
            yield from self._steady(one, shares.next())
        for one in hungry:
            yield from self._steady(one, shares.next())
        yield from self._packed(jobs, shares)
        if Sign.ASCII85 in found.seen and not self._last:
            start = plain.cut_ascii85(self._text)
            if start is not None:
                yield Undecoded("ascii85", start, len(self._text))

    # what does not grow

    def _runs(self, found: Signs) -> Iterator[_Steady]:
        open_runs, self._carry.runs = self._carry.runs, []
        text, fresh, last = self._text, self._fresh, self._last
        carried = [run for one in open_runs if (run := runs.carried_run(text, one, fresh, last))]
        new = list(runs.new_runs(text, found, fresh, carried, last))
        for run in (*carried, *new):
            for decoded in runs.decode(self._text, run, self._fresh):
                yield self._run(run, decoded)

    def _run(self, run: runs.Run, decoded: runs.Decoded) -> _Steady:
        inner = run.carried.inner if run.carried else Carry()
        goes_on = decoded.run.touches
        if goes_on:
            began = len(self._text) - run.start
            self._carry.runs.append(OpenRun(run.alphabet.kind, decoded.pending, began, inner))
        return _Steady(
            run.alphabet.kind, decoded.data, run.start, run.end, decoded.fresh, decoded.where, inner, goes_on
        )

    def _regions(self, found: Signs) -> Iterator[_Steady]:
        text, seen = self._text, found.seen
        if Sign.ESCAPE in seen:
            yield from self._unescaped(escapes.KIND, escapes.unescape(text, found))
        if Sign.QUOTED in seen:
            yield from self._unescaped("quoted", quoted.quoted(text, found))
        if Sign.UTF7 in seen:
            yield from self._unescaped("utf7", quoted.utf7(text, found))
        if Sign.WIDE in seen:
            yield from map(_plain, plain.wide(text))
        if Sign.HEX in seen:
            yield from map(_plain, spelled.spelled(text, found))
        if Sign.ASCII85 in seen:
            yield from map(_plain, plain.ascii85(text))
        if found.mirrored:
            yield from map(_plain, plain.mirrored(text, found.mirrored))

    def _unescaped(self, kind: str, parts: Iterator[tuple[int, int, Unescaped]]) -> Iterator[_Steady]:
        """The parts are read as one: their margins keep apart what is around each escape. What is packed as a
        whole can only begin with the text."""
        changed = [(start, end, part) for start, end, part in parts if part.changed and part.data]
        if not changed:
            return
        joined = Joined([part for _, _, part in changed])
        start, end = changed[0][0], changed[-1][1]
        yield _Steady(kind, joined.data, start, end, 0, joined.where, Carry(begun=start > 0))

    def _steady(self, one: _Steady, allowed: int) -> Items:
        share = self._budget.share(allowed)
        if share.left < len(one.data):
            yield Undecoded(one.kind, one.start, one.end)
            return
        share.spend(len(one.data))
        inner = self._inner(one.data, share, one.inner, one.fresh, not one.goes_on, one.found)
        if one.kind in _PARTLY:
            inner = _only_new(inner, one)
        yield View(one.kind, one.data, one.start, one.end, one.fresh, one.goes_on, one.where, inner)
        self._budget.charge(share)

    def _inner(
        self, data: bytes, share: Budget, carry: Carry, fresh: int, last: bool, found: Signs | None = None
    ) -> Callable[[], Items]:
        return lambda: find_views(data, share, self._depth + 1, carry, fresh, last, found)

    # what grows

    def _jobs(self, found: Signs) -> list[Callable[[], Job]]:
        """Packed data, not begun: each holds memory once it is. What is only a mark by chance takes no share."""
        text, carry, fresh = self._text, self._carry, self._fresh
        low = max(0, fresh - packed.HEAD_BYTES) if fresh else 0
        high = len(text) if self._last else len(text) - packed.HEAD_BYTES
        opened, carry.packed = carry.packed, []
        marks = list(packed.marks(text, found.packed, low, high))
        if not carry.begun:
            carry.begun = True
            marks = [*packed.whole(text), *marks]
        carried = [partial(Job.carried, text, one, fresh) for one in opened]
        return [*carried, *(partial(Job.new, text, mark) for mark in marks if packed.is_packed(text, mark))]

    def _packed(self, jobs: list[Callable[[], Job]], shares: Shares) -> Items:
        waiting: list[Job] = []
        for begin in jobs:
            job = begin()
            yield from self._round(job, shares.next())
            if job.paused and len(waiting) < _WAITING:
                waiting.append(job)
            elif job.paused:
                yield from self._give_up(job)
        while waiting and self._budget.left > FLOOR_BYTES:
            again, waiting = waiting, []
            shares = Shares(self._budget, [_EVEN_BYTES] * len(again))
            for job in again:
                yield from self._round(job, shares.next())
                if job.paused:
                    waiting.append(job)
        for job in waiting:
            yield from self._give_up(job)

    def _round(self, job: Job, size: int) -> Items:
        share = self._budget.share(size)
        for piece in job.pieces(share, self._last):
            child = share.share(share.left * 3 // 4)
            inner = self._inner(piece.data, child, job.inner, piece.fresh, piece.closes)
            goes_on = not self._last and not job.unpacker.done
            yield View(job.kind, piece.data, job.start, job.end, piece.fresh, goes_on, None, inner)
            share.charge(child)
        self._budget.charge(share)
        if job.refused:
            yield Undecoded(job.kind, job.start, job.end)
        elif job.open and not self._last:
            self._carry.packed.append(OpenPacked(job.kind, job.unpacker, job.tail, job.inner, job.given))

    def _give_up(self, job: Job) -> Items:
        for piece in job.rest():
            inner = self._inner(piece.data, self._budget.share(0), job.inner, piece.fresh, True)
            yield View(job.kind, piece.data, job.start, job.end, piece.fresh, False, None, inner)
        yield Undecoded(job.kind, job.start, job.end)


def _only_new(inner: Callable[[], Items], one: _Steady) -> Callable[[], Items]:
    """Without what was copied from the text as it is: that text has those views itself."""

    def items() -> Items:
        for item in inner():
            if one.where is not None:
                start, end = one.where(item.start, item.end)
                if end - start == item.end - item.start:
                    continue
            yield item

    return items


def _plain(one: plain.Plain) -> _Steady:
    return _Steady(one.kind, one.data, one.start, one.end, 0, one.where, Carry())
