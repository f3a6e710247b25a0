"""Follows a text as it comes in: cuts out the passages around signs and has them read.

::

    sign ends at e ──> passage open: [e - BEFORE, e + AFTER)   held from e - 1
    more signs in it    stay in it, evidence draws its end out
    e + AFTER came      read it, release it
    end of the text     read what is open

All of it depends on the bytes alone, never on how they are cut. Memory: :data:`PAGE_BYTES` and one passage.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bot_bottle.dlp.finding import Detector, Finding, Severity
from bot_bottle.dlp.inbound.reading import Said, read
from bot_bottle.dlp.inbound.table import ROWS
from bot_bottle.dlp.inbound.triggers import WIDEST, is_evidence, signs

BEFORE_BYTES = 768
"""longer than a trigger, so that the whole sentence is read"""
AFTER_BYTES = 384
"""where a sign is a wording: the rest of the sentence"""
AFTER_EVIDENCE_BYTES = 2048
"""where it is a disguise: what it hides is to be seen"""
LONGEST_BYTES = 6144
PAGE_BYTES = 48 * 1024
"""how far back it is looked for what hides a passage (an element, a comment, a style)"""
_EARNED = 8
"""bytes of what came before that each new byte earns, once it was looked through"""
MOST_FINDINGS = 64
"""a text, of those that warn; more tell nothing new. What blocks is told however much came before"""

_BLOCK_REASON = "an order to the agent in text that is not shown"
_WARN_REASON = "text that gives an agent orders"


class Mode(StrEnum):
    """``dlp.inbound_on_match`` of a route; what it does not say goes by what was found."""

    BY_FINDING = "by-finding"
    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


class _Passage(Struct):
    first: int
    closes: int
    disguised: bool
    near: set[int]
    """rows whose triggers are in it"""


class Watch:
    """:meth:`feed` gives the findings of the passages that are over; :attr:`held` is what may not go on yet."""

    def __init__(self, mode: Mode = Mode.BY_FINDING, page_bytes: int = PAGE_BYTES) -> None:
        self._mode = mode
        self._page_bytes = page_bytes
        self._kept = bytearray()
        self._base = 0
        """offset of the first byte kept"""
        self._open: _Passage | None = None
        self._page_left = page_bytes
        """how much of what came before may be looked through: a flood of orders earns no more than it pays for"""
        self._paid = 0
        self.looked_through = 0
        """bytes that were read or looked through in all: what a test of cost counts"""
        self._told: dict[tuple[str, Severity], int] = {}
        """rule and severity: where the passage ended that said so"""
        self._count = 0
        self.blocked_at: int | None = None
        """where a passage began whose finding blocks: nothing from there on may go, nothing more is read"""

    @property
    def seen(self) -> int:
        """How many bytes came."""
        return self._base + len(self._kept)

    @property
    def held(self) -> int | None:
        """Offset of the first byte that waits for a passage to be read; None: nothing does."""
        return None if self._open is None else self._open.first - 1

    def feed(self, data: bytes) -> list[Finding]:
        if self.blocked_at is not None:
            return []
        before = bytes(self._kept[-WIDEST:])
        at = self.seen - len(before)
        self._kept += data
        found: list[Finding] = []
        for sign in signs(before + data):
            if sign.end > len(before) and self.blocked_at is None:
                found += self._sign(at + sign.end, sign.number)
        if self.blocked_at is None and self._open is not None and self.seen >= self._open.closes:
            found += self._read()
        self._forget()
        return found

    def finish(self) -> list[Finding]:
        """The text is over, or a part of it that is judged by itself (an event): read what is open."""
        if self._open is None or self.blocked_at is not None:
            return []
        self._open.closes = self.seen
        return self._read()

    def _sign(self, end: int, number: int) -> list[Finding]:
        evidence = is_evidence(number)
        found: list[Finding] = []
        if self._open is not None and end > self._open.closes:
            found = self._read()
        if self.blocked_at is not None:
            return found
        after = AFTER_EVIDENCE_BYTES if evidence else AFTER_BYTES
        if self._open is None:
            self._open = _Passage(end, end + after, evidence, set())
        elif evidence and not self._open.disguised:
            self._open.disguised = True
            self._open.closes = min(end + after, self._open.first + LONGEST_BYTES)
        if not evidence:
            self._open.near.add(number)
        return found

    def _text(self, start: int, end: int) -> str:
        return self._kept[max(0, start - self._base) : end - self._base].decode("utf-8", "replace")

    def _read(self) -> list[Finding]:
        passage, self._open = self._open, None
        assert passage is not None
        start, end = max(self._base, passage.first - BEFORE_BYTES), passage.closes

        self._page_left = min(self._page_bytes, self._page_left + _EARNED * (end - self._paid))
        self._paid = end
        self.looked_through += end - start

        def page() -> tuple[str, int]:
            before = self._text(max(self._base, start - self._page_left), start)
            self.looked_through += self._page_left + end - start
            self._page_left = 0
            return before + self._text(start, end), len(before)

        found = []
        for one in read(self._text(start, end), page, passage.near, passage.disguised):
            finding = self._finding(one, start, end)
            if finding is not None:
                found.append(finding)
        if any(finding.severity is Severity.BLOCK for finding in found):
            self.blocked_at = passage.first - 1
        return found

    def _finding(self, said: Said, start: int, end: int) -> Finding | None:
        row = ROWS[said.row]
        told, self._told[row.name, said.severity] = self._told.get((row.name, said.severity), -1), end
        severity = {Mode.BLOCK: Severity.BLOCK, Mode.WARN: Severity.WARN}.get(self._mode, said.severity)
        if told > start or (self._count >= MOST_FINDINGS and severity is not Severity.BLOCK):
            return None
        self._count += 1
        blocks = said.severity is Severity.BLOCK
        return Finding(
            detector=Detector.INJECTION,
            rule=row.name,
            severity=severity,
            reason=f"{_BLOCK_REASON if blocks else _WARN_REASON}: {row.category.value}",
            start=start,
            end=end,
            view=said.views,
        )

    def _forget(self) -> None:
        first = self.seen if self._open is None else self._open.first
        keep = max(0, first - max(self._page_bytes, WIDEST) - BEFORE_BYTES)
        if keep - self._base > self._page_bytes:
            del self._kept[: keep - self._base]
            self._base = keep
