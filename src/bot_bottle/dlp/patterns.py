"""The detector ``token_patterns``: all rules in one pass, each find confirmed on a bounded window.

One Hyperscan database says where something ends that may be a credential; everything exact (begin and end, what
stands before it, keywords, randomness, checksums, placeholders) is looked at only there. No search restarts and no
window grows, so that the time is linear in the text whatever it holds. Pure: nothing is kept from one text to the
next.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import groupby

import hyperscan
import re2

from bot_bottle.dlp import databases, spans
from bot_bottle.dlp.assign import Assignments, Steps
from bot_bottle.dlp.checks import CHECKS
from bot_bottle.dlp.entropy import bits
from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.placeholder import is_placeholder
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import NEAR, Edge, Find, Rule
from bot_bottle.dlp.trigger import compiled, cut_tail, literal_prefix, relaxed, width
from bot_bottle.dlp.views.triggers import FEW, ROWS, Signs, read
from bot_bottle.dlp.wording import reads_like_words

JUDGED = 64
"""Bytes that are judged of a match inside one that was refused: enough to see a credential behind a decoy."""


class _Ready:
    """A rule with what is needed to confirm a find; its patterns are compiled when the first one comes."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.trigger = rule.trigger or cut_tail(rule.pattern)
        self.begin = f"(?:{rule.head})(?:{self.trigger})" if rule.head else self.trigger
        self.least, self.width = width(self.begin)
        self.prefix = (rule.prefix or literal_prefix(rule.pattern)).encode()
        self.fixed = cut_tail(rule.pattern) == rule.pattern
        self.keywords = tuple(word.encode() for word in rule.keywords)
        self.reason = f"has the format of a credential of {rule.vendor}"
        self._flags = "(?si)" if rule.caseless else "(?s)"

    @cached_property
    def backward(self) -> re2._Regexp | None:
        """The trigger, ending where the text ends; None: it has one width."""
        if self.least == self.width:
            return None
        return compiled(rf"{self._flags}(?:{relaxed(self.begin)})\z")

    @cached_property
    def forward(self) -> re2._Regexp:
        return compiled(self._flags + relaxed(self.rule.pattern))

    @cached_property
    def end(self) -> re2._Regexp | None:
        return compiled(self.rule.end) if self.rule.end else None


class Patterns:
    """The compiled rules; made once, before sidecars are forked: nothing in it is secret.

    ``scan`` may be called from one thread at a time.
    """

    def __init__(self, rules: Sequence[Rule] = ALL_RULES) -> None:
        self._ready = tuple(_Ready(rule) for rule in rules if rule.find is Find.ANYWHERE)
        self._assignments = Assignments(rule for rule in rules if rule.find is Find.ASSIGNED)
        self._rank = {rule.name: rule.rank for rule in rules}
        triggers = [(item.trigger, item.rule.caseless) for item in self._ready]
        if self._assignments:
            triggers.append((self._assignments.trigger, True))
        rows = [
            (
                trigger.encode(),
                number,
                hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_CASELESS if caseless else 0),
            )
            for number, (trigger, caseless) in enumerate(triggers)
        ]
        self._database = databases.compiled(rows)
        self._count = len(rows)
        signs = [(pattern, number, flags) for number, (pattern, flags) in enumerate(ROWS, len(rows))]
        self._with_signs = databases.compiled([*rows, *signs])
        self.steps = Steps()

    @staticmethod
    @cache
    def default() -> Patterns:
        """Of all rules; the same object at each call."""
        return Patterns()

    @property
    def size(self) -> int:
        """Bytes of the compiled database."""
        return int(self._database.size())

    def scan(self, text: bytes) -> list[Hit]:
        """Every credential in *text*, in order; offsets are of the secret part."""
        ends: list[tuple[int, int]] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append((number, end))

        self._database.scan(text, match_event_handler=note)
        return self._best(self._confirmed(text, ends)) if ends else []

    def look(self, text: bytes) -> tuple[list[Hit], Signs]:
        """The same as ``scan`` and ``views.triggers.signs``, at two thirds of the price of both: one pass."""
        ends: list[tuple[int, int]] = []
        places: list[tuple[int, int]] = []
        count = self._count

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            if number < count:
                ends.append((number, end))
                return False
            places.append((number - count, end))
            return len(places) >= FEW

        try:
            self._with_signs.scan(text, match_event_handler=note)
        except hyperscan.ScanTerminated:
            return self.scan(text), read(text, places)
        return self._best(self._confirmed(text, ends)) if ends else [], read(text, places)

    def _confirmed(self, text: bytes, ends: list[tuple[int, int]]) -> Iterator[Hit]:
        done = [0] * (len(self._ready) + 1)
        refused = [0] * len(self._ready)
        for number, end in ends:
            if end <= done[number]:
                continue
            if number == len(self._ready):
                hit, done[number] = self._assignments.judge(text, end, self.steps)
            else:
                hit = self._judge(text, end, number, done, refused)
            if hit is not None:
                yield hit

    def _judge(self, text: bytes, end: int, number: int, done: list[int], refused: list[int]) -> Hit | None:
        """What the trigger that ends at *end* belongs to; notes how far the rule is done with."""
        ready = self._ready[number]
        done[number] = end
        start = max(0, end - ready.width)
        if ready.backward is not None:
            found = ready.backward.search(text[start:end])
            if found is None:
                return None
            start += int(found.start())
        if not _edge(text, start, ready.rule.edge):
            return None
        reach = ready.rule.reach if end > refused[number] else max(JUDGED, end - start)
        whole = ready.forward.match(text[start : start + reach])
        self.steps.read += end - start + reach
        if whole is None:
            return None
        first, last = (start + offset for offset in whole.span(ready.rule.group))
        if ready.rule.name in spans.FOLLOWED:
            last = spans.extended(ready.rule.name, text, first, last)
            self.steps.read += last - first if ready.rule.name == spans.TOKEN else spans.BLOCK
        if not self._accepted(ready, text, start, start + whole.end(), first, last):
            refused[number] = max(refused[number], start + whole.end())
            return None
        if reach < ready.rule.reach and not ready.fixed:
            last = self._to_the_end(ready, text, start, last)
        if not ready.fixed:
            done[number] = max(end, last)
        return Hit(ready.rule.name, first, last, ready.reason)

    def _to_the_end(self, ready: _Ready, text: bytes, start: int, last: int) -> int:
        """Where a match ends that was accepted on its first bytes."""
        whole = ready.forward.match(text[start : start + ready.rule.reach])
        self.steps.read += ready.rule.reach
        return last if whole is None else max(last, start + int(whole.end(ready.rule.group)))

    def _accepted(self, ready: _Ready, text: bytes, start: int, stop: int, first: int, last: int) -> bool:
        rule = ready.rule
        if rule.edge is Edge.SHORT and _run_around(text, start, stop) > 3 * (stop - start):
            return False
        if ready.end is not None and ready.end.match(text[stop : stop + 1]) is not None:
            return False
        if ready.keywords:
            around = text[max(0, start - NEAR) : stop + NEAR].lower()
            if not any(word in around for word in ready.keywords):
                return False
        secret = text[first : min(last, first + rule.reach)]
        body = secret[len(ready.prefix) :] if secret.startswith(ready.prefix) else secret
        if rule.entropy and bits(body) < rule.entropy:
            return False
        if rule.check and not CHECKS[rule.check](text[start : max(stop, last)]):
            return False
        if rule.random and not rule.check and reads_like_words(body):
            return False
        return not is_placeholder(secret, ready.prefix, fixed=ready.fixed)

    def _best(self, hits: Iterable[Hit]) -> list[Hit]:
        """Of hits that claim the same bytes the one with the highest rank, then the longest."""
        kept: list[Hit] = []
        ordered = sorted(set(hits), key=lambda hit: (-self._rank[hit.rule], hit.start, -hit.end, hit.rule))
        for _, group in groupby(ordered, key=lambda hit: self._rank[hit.rule]):
            taken = sorted(kept, key=lambda hit: hit.start)
            starts = [hit.start for hit in taken]
            reached: list[int] = []
            for hit in taken:
                reached.append(max(hit.end, reached[-1] if reached else 0))
            before: Hit | None = None
            for hit in group:
                place = bisect_right(starts, hit.end - 1)
                if place and reached[place - 1] > hit.start:
                    continue
                if before is not None and before.end > hit.start and before.rule != hit.rule:
                    continue
                kept.append(hit)
                before = hit
        return sorted(kept, key=lambda hit: (hit.start, hit.end))


_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_ESCAPE = re2.compile(
    rb"(?:\\[nrtbfv0]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|\\[0-7]{3}|\x1b\[[0-9;]{0,8}m)\z"
)


def _edge(text: bytes, start: int, edge: Edge) -> bool:
    """Whether a token may begin at *start*."""
    if edge in (Edge.FREE, Edge.SHORT) or start == 0:
        return True
    before = text[start - 1]
    if before in _WORD:
        return _ESCAPE.search(text[max(0, start - 10) : start]) is not None
    if edge is Edge.WORD:
        return True
    return before not in (b"-_+/" if edge is Edge.ALONE else b"-_")


def _run_around(text: bytes, start: int, stop: int) -> int:
    """How long the run of letters and digits is that holds the match; not looked at further than it matters."""
    most = 3 * (stop - start)
    while start > 0 and stop - start <= most and text[start - 1] in _WORD:
        start -= 1
    while stop < len(text) and stop - start <= most and text[stop] in _WORD:
        stop += 1
    return stop - start
