"""The whole outbound scan: every detector over a text, over what it decodes to, and over what that decodes to.

A stream is judged in blocks that lie at fixed offsets and overlap, so that the findings are the same however the
data came in. What a block ends with is judged again with the next one: only there is it seen whole.

::

    text:    |---------- block ----------|---------- block ----------|
    judged:  |---------------------------|
                                     |---------------------------|
                                     ^ overlap: what began here and isn't over is left to the next

Pure; raises nothing on any input. A caller that meets an exception here must refuse (fail closed).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import Struct

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.budget import Budget
from bot_bottle.dlp.entropy import windows
from bot_bottle.dlp.finding import Detector, Finding, Hit, Severity
from bot_bottle.dlp.known import Approved, Seen
from bot_bottle.dlp.normalise import normalise
from bot_bottle.dlp.views.carry import Carry
from bot_bottle.dlp.views.find import find_views
from bot_bottle.dlp.views.triggers import Signs
from bot_bottle.dlp.views.view import Undecoded, View

BLOCK_BYTES = 128 * 1024
"""Some 0.6 ms of work; a flow holds about this much text, its stripped form and its views."""
OVERLAP_BYTES = 4096
"""Longer than any credential that has no line breaks, in any encoding"""
MARGIN_BYTES = 256
"""What ends this near to a block's end may go on, or its context may"""
_CANARY = "canary"
_NORMALISED = "normalised"
_PACKED = frozenset({"gzip", "zlib", "deflate", "br", "zstd", "zip", "bzip2", "xz"})
"""views of binary data; the others are of text"""
_UNDECODED_REASON = "an encoded part could not be looked at"

Span = tuple[int, int]
Where = Callable[[int, int], Span]


class What(Struct, frozen=True):
    """Which detectors a route has. The canary and what can't be decoded are always looked for."""

    token_patterns: bool = True
    known_secrets: bool = True
    entropy: bool = False
    undecoded: Severity = Severity.BLOCK
    packed_as: frozenset[str] = frozenset()
    """kinds of view: the text is such data, which is unpacked and judged besides, so that it does not matter whether
    it can be unpacked here"""


ALL = What(entropy=True)
DEFAULT = What()

Note = Callable[[Seen], Iterable[Hit]]
"""told of pieces of known secrets in a text, says what they complete (``pieces.Pieces.note``)"""


class Patterns(Protocol):
    """``dlp.patterns``: the rules of all vendors."""

    def scan(self, text: bytes) -> list[Hit]: ...

    def look(self, text: bytes) -> tuple[list[Hit], Signs]: ...


class Known(Protocol):
    """``dlp.known``: the values that this bottle's sidecar holds."""

    def scan(
        self, text: bytes, approved: Approved = ..., note: Callable[[Seen], None] | None = ...
    ) -> list[Hit]: ...

    def is_canary(self, name: str) -> bool: ...


def form_digest(match: Secret) -> bytes:
    """What an approval remembers of a value instead of the value (SHA-256)."""
    return _digest(match.reveal().encode("latin-1"))


class Engine:
    """All detectors of one bottle. Immutable: new secrets make a new engine."""

    def __init__(self, patterns: Patterns, known: Known) -> None:
        self.patterns = patterns
        self.known = known

    def scan(
        self, text: bytes, what: What = DEFAULT, approved: Approved = frozenset()
    ) -> tuple[Finding, ...]:
        """Every finding in *text*, by its place."""
        stream = self.stream(what, approved)
        return (*stream.feed(text), *stream.finish())

    def stream(
        self, what: What = DEFAULT, approved: Approved = frozenset(), note: Note | None = None
    ) -> Stream:
        """For a text that comes in pieces."""
        return Stream(self, what, approved, note)


class Stream:
    """One text. ``feed`` any number of times, then ``finish`` once; both give what was found since."""

    def __init__(self, engine: Engine, what: What, approved: Approved, note: Note | None) -> None:
        self._engine = engine
        self._what = what
        self._approved = approved
        self._note = note
        self._settled: set[str] = set()
        """names of known secrets of which an approved form was there"""
        self._carry = Carry()
        self._budget = Budget()
        self._parts: list[bytes] = []
        self._size = 0
        """of the parts"""
        self._base = 0
        """where the parts begin in the text"""
        self._overlap = 0
        """how much of the parts was in the block before"""

    @property
    def cleared(self) -> int:
        """Up to here, counted from the beginning, all has been judged and nothing found later can lie."""
        return self._base

    def feed(self, data: bytes) -> tuple[Finding, ...]:
        """Judge what is complete with *data*."""
        found: list[Finding] = []
        view = memoryview(data)
        while self._size - self._overlap + len(view) >= BLOCK_BYTES:
            room = BLOCK_BYTES - (self._size - self._overlap)
            self._parts.append(bytes(view[:room]))
            self._size += room
            view = view[room:]
            found += self._block()
        if view:
            self._parts.append(bytes(view))
            self._size += len(view)
        return tuple(found)

    def finish(self) -> tuple[Finding, ...]:
        """Judge the rest: nothing more comes."""
        text = b"".join(self._parts)
        fresh = self._fresh(text, is_last=True)
        self._parts, self._base, self._size, self._overlap = [], self._base + self._size, 0, 0
        return tuple(fresh)

    def _block(self) -> list[Finding]:
        text = b"".join(self._parts)
        fresh = self._fresh(text, is_last=False)
        kept = min(OVERLAP_BYTES, len(text))
        self._parts, self._size, self._overlap = [text[len(text) - kept :]], kept, kept
        self._base += len(text) - kept
        return fresh

    def _fresh(self, text: bytes, *, is_last: bool) -> list[Finding]:
        """What is new in *text*, and can be said now."""
        if len(text) == self._overlap and not is_last:
            return []
        seen = self._overlap - MARGIN_BYTES if self._overlap else 0
        unfinished = len(text) if is_last else len(text) - MARGIN_BYTES
        begins_again = len(text) - OVERLAP_BYTES
        fresh = []
        found, shown_once = self._judge(text, is_last=is_last)
        for finding in found:
            if finding.end <= seen and self._overlap:
                continue
            is_seen_again = finding.end > unfinished and finding.start >= begins_again
            if is_seen_again and id(finding) not in shown_once:
                continue
            fresh.append(_moved(finding, self._base))
        return fresh

    def _judge(self, text: bytes, *, is_last: bool) -> tuple[list[Finding], set[int]]:
        """One block, whole. Offsets are those of *text*; second: which (by ``id``) won't be seen with the next."""
        look = _Look(self._engine, self._what, self._note)
        hits, seen = self._engine.patterns.look(text) if self._what.token_patterns else ([], None)
        look.at(text, (), _as_it_is, hits=hits)
        fresh, carry = self._overlap, self._carry
        views = find_views(text, self._budget, carry=carry, fresh=fresh, last=is_last, found=seen)
        look.into(views, (), _as_it_is)
        return _left(look.found, self._approved, self._settled), look.shown_once


class _Look:
    """The way through one block and its views."""

    def __init__(self, engine: Engine, what: What, note: Note | None) -> None:
        self._patterns = engine.patterns
        self._known = engine.known
        self._what = what
        self._note = note
        self.found: list[Finding] = []
        self.shown_once: set[int] = set()
        """by ``id``: what was found in views that go on, which the next block does not show again"""

    def at(
        self,
        text: bytes,
        view: tuple[str, ...],
        where: Where,
        fresh: int = 0,
        hits: list[Hit] | None = None,
    ) -> None:
        """*text* was read as *view*; *where* says where its parts lie in the block. Its first *fresh* bytes were
        looked at before, with the block before. *hits*: what the patterns found in it, if they were asked."""
        self._detect(text, view, where, fresh, hits)
        if self._what.entropy and not view:
            self._take(Detector.ENTROPY, windows(text), text, view, where)
        folded = normalise(text)
        if folded is not None:
            above = (*view, _NORMALISED)
            self._detect(folded.data, above, lambda start, end: where(*folded.where(start, end)))
            inner = find_views(folded.data, Budget(len(folded.data)), len(view))
            self.into(inner, above, lambda start, end: where(*folded.where(start, end)))

    def into(self, views: Iterable[View | Undecoded], above: tuple[str, ...], where: Where) -> None:
        """Look at *views* of a text that was read as *above*, and at what is in them."""
        for child in views:
            view = (*above, child.kind)
            if isinstance(child, Undecoded):
                if above[-1:] == (_NORMALISED,) and child.kind in _PACKED:
                    continue  # folding breaks what is packed; it is told of as it is
                if not above and child.kind in self._what.packed_as:
                    continue
                span = where(child.start, child.end)
                self.found.append(
                    Finding(
                        Detector.UNDECODED, child.kind, self._what.undecoded, _UNDECODED_REASON, *span, above
                    )
                )
                continue
            inner = _within(child, where)
            before = len(self.found)
            if _NORMALISED in above:
                self._detect(child.data, view, inner)
            else:
                self.at(child.data, view, inner, child.fresh)
            self.into(child.views(), view, inner)
            if child.goes_on:
                self.shown_once.update(map(id, self.found[before:]))

    def _detect(
        self,
        text: bytes,
        view: tuple[str, ...],
        where: Where,
        fresh: int = 0,
        hits: list[Hit] | None = None,
    ) -> None:
        if self._what.token_patterns:
            hits = self._patterns.scan(text) if hits is None else hits
            self._take(Detector.TOKEN_PATTERNS, (hit for hit in hits if hit.end > fresh), text, view, where)
        pieces: list[Seen] = []
        for hit in self._known.scan(text, note=pieces.append):
            if hit.end <= fresh:
                continue
            if self._known.is_canary(hit.rule):
                self._take(Detector.CANARY, (hit,), text, view, where)
            elif self._what.known_secrets:
                self._take(Detector.KNOWN_SECRETS, (hit,), text, view, where)
        if self._note is not None and self._what.known_secrets:
            for seen in pieces:
                self._take(Detector.KNOWN_SECRETS, self._note(seen), text, view, where)

    def _take(
        self, detector: Detector, hits: Iterable[Hit], text: bytes, view: tuple[str, ...], where: Where
    ) -> None:
        for hit in hits:
            form = text[hit.start : hit.end] if hit.exact else None
            rule = _CANARY if detector is Detector.CANARY else hit.rule
            match = None if form is None or detector is Detector.CANARY else Secret(form.decode("latin-1"))
            span = where(hit.start, hit.end)
            self.found.append(Finding(detector, rule, hit.severity, hit.reason, *span, view, match))


def _digest(form: bytes) -> bytes:
    return hashlib.sha256(form).digest()


def _as_it_is(start: int, end: int) -> Span:
    return start, end


def _within(child: View, where: Where) -> Where:
    def map_span(start: int, end: int) -> Span:
        return where(*child.where(start, end))

    return map_span


def _moved(finding: Finding, by: int) -> Finding:
    if not by:
        return finding
    return Finding(
        finding.detector,
        finding.rule,
        finding.severity,
        finding.reason,
        finding.start + by,
        finding.end + by,
        finding.view,
        finding.match,
    )


def _left(found: list[Finding], approved: Approved, settled: set[str]) -> list[Finding]:
    """What is to be told, by place.

    * Not what an exact form holds that was seen further out, of the same rule: it is that form, decoded.
    * Not what is *approved*. A secret of which an approved form is there is *settled*: its looser finds are not
      told (dlp.md §2), its other encodings are.
    """
    told: dict[tuple[Detector, str, bytes], _Spans] = {}
    forms: dict[tuple[Detector, str], _Spans] = {}
    kept = []
    for finding in sorted(found, key=lambda finding: (len(finding.view), finding.start)):
        rule = (finding.detector, finding.rule)
        digest = b"" if finding.match is None else form_digest(finding.match)
        if finding.view and rule in forms and forms[rule].holds(finding.start, finding.end):
            continue
        if digest:
            forms.setdefault(rule, _Spans()).add(finding.start, finding.end)
        if digest in approved:
            settled.add(finding.rule)
        elif told.setdefault((*rule, digest), _Spans()).add(finding.start, finding.end):
            kept.append(finding)
    if settled:
        kept = [finding for finding in kept if not _is_settled(finding, settled)]
    return sorted(kept, key=lambda finding: (finding.start, finding.end, finding.rule))


def _is_settled(finding: Finding, settled: set[str]) -> bool:
    is_loose = finding.detector is Detector.KNOWN_SECRETS and finding.match is None
    return is_loose and finding.rule in settled


class _Spans:
    """Spans that don't overlap, in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> bool:
        """Whether it was added: it overlaps none."""
        at = bisect_left(self._starts, end)  # those before it begin before *end*
        if at and self._ends[at - 1] > start:
            return False
        at = bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)
        return True

    def holds(self, start: int, end: int) -> bool:
        """Whether one of them holds all of it."""
        at = bisect_right(self._starts, start)
        return at > 0 and self._ends[at - 1] >= end
