"""What a gram that was found belongs to: which secret, in which spelling, from where to where.

Each gram is first compared in stripped text, to both sides as far as text and spelling agree; that is cheap and ends
nearly all that are there by chance. What is left is compared with all its letters, escapes taken into account, and
the text is searched for exact forms of that secret, once in all for each family of spellings. So the cost is linear
in the text, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any

from msgspec import Struct

from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.known_forms import compile_pattern, families, pattern
from bot_bottle.dlp.known_gaps import before, behind, between
from bot_bottle.dlp.known_grams import Stripped
from bot_bottle.dlp.known_raw import Part
from bot_bottle.dlp.known_spans import Spans
from bot_bottle.dlp.projection import IS_LETTER, Bare, letters

EXACT = "a known secret"
ENCODED = "a known secret, encoded"
SEPARATED = "a known secret with separators put in"
FRAGMENT = "a part of a known secret"

FRAGMENT_LETTERS = 12
"""dlp.md §2: so many in a row are a part"""
SEPARATED_LETTERS = 8
"""A value with fewer letters and digits is found only in an exact form"""
_MIN_LINE_BYTES = 32
"""Each line of a value that is this long is a form of its own"""

Span = tuple[int, int]


class Entry:
    """One secret that is searched."""

    def __init__(self, index: int, name: str, value: bytes, public: bytes) -> None:
        self.index = index
        self.name = name
        self.value = value
        self.public = public
        self.private_letters = len(
            letters(bytes(b for b, mark in zip(value, public, strict=True) if not mark))
        )
        self.lines = _long_lines(value, public)
        self._patterns: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Entry({self.name})"

    def places(self, text: bytes, family: str) -> list[Span]:
        """Where exact forms of one family lie in *text*."""
        if family not in self._patterns:
            try:
                self._patterns[family] = compile_pattern(pattern(self.value, family))
            except ValueError:
                self._patterns[family] = None
        found = self._patterns[family]
        if found is None:
            return _literal_places(text, self.value)
        return [match.span() for match in found.finditer(text)]


class Search(Struct, frozen=True):
    """One spelling of one secret."""

    entry: int
    kind: str
    form: Stripped
    folds: bool
    part: int
    """so many letters in a row are evidence; 0: only the whole is"""

    def __repr__(self) -> str:
        return f"Search({self.kind})"


class Gram(Struct, frozen=True):
    """Where a literal of the database stands: in which search, and at which of its stripped characters."""

    search: int
    at: int


class Confirmation:
    """What is found in one text. ``take`` each pass over it, then ``hits`` once."""

    def __init__(self, entries: Sequence[Entry], searches: Sequence[Search], text: bytes) -> None:
        self._entries = entries
        self._searches = searches
        self._text = text
        self._exact: dict[int, list[tuple[Span, str]]] = {}
        self._tried: set[tuple[int, str]] = set()
        self._loose: dict[tuple[int, str], list[Span]] = {}
        self._parts_to: dict[tuple[int, int], int] = {}
        self.count = 0
        """grams that were compared"""

    def take(self, bare: Bare, found: Iterable[tuple[int, int, Gram]], at: int = 0) -> None:
        """One pass: *found* are start and end in *bare*, by their ends. It is of the text, or of a part that begins
        *at* an offset, with escapes blanked."""
        folded: bytes | None = None
        done: dict[tuple[int, int], int] = {}
        for start, end, gram in found:
            base = start - gram.at
            if done.get((gram.search, base), -1) >= end:
                continue
            self.count += 1
            search = self._searches[gram.search]
            if search.folds and folded is None:
                folded = bare.data.lower()
            low, high = _agreement(
                bare.data if folded is None or not search.folds else folded, base, search.form.text, gram.at
            )
            done[gram.search, base] = base + high
            if self._may_be(search, low, high):
                self._compare(bare, at, base, search, low, high)

    def take_part(self, start: int, part: Part) -> None:
        """A part of a value as it is, that begins at *start*: told if it goes on to be long enough."""
        if start < self._parts_to.get((part.entry, start - part.at), 0):
            return
        entry = self._entries[part.entry]
        low, high = _agreement(self._text, start - part.at, entry.value, part.at)
        self._parts_to[part.entry, start - part.at] = start - part.at + high
        self.count += 1
        private = entry.value[low:high].translate(IS_LETTER)
        marks = bytes(compress(entry.public[low:high], private))
        if _longest_private(marks, 0, len(marks)) >= FRAGMENT_LETTERS:
            first, last = start - part.at + low, start - part.at + high
            self._loose.setdefault((part.entry, FRAGMENT), []).append((first, last))
            self._lines(part.entry, first, last)
            self.try_family(part.entry, "plain")

    def try_family(self, entry: int, family: str) -> None:
        """Look for the exact forms of one family, once."""
        if (entry, family) in self._tried:
            return
        self._tried.add((entry, family))
        own = self._entries[entry]
        kept = self._exact.setdefault(entry, [])
        for span in own.places(self._text, family):
            plain = self._text[span[0] : span[1]] == own.value
            kept.append((span, EXACT if plain else ENCODED))

    def hits(self) -> list[Hit]:
        """All that was found, by place."""
        found: list[Hit] = []
        for entry, spans in self._exact.items():
            name = self._entries[entry].name
            for (start, end), reason in _outermost(spans):
                found.append(Hit(name, start, end, reason))
        for (entry, reason), loose in self._loose.items():
            name = self._entries[entry].name
            covered = Spans(span for span, _reason in self._exact.get(entry, ()))
            for start, end in Spans(loose):
                if not covered.hold(start, end):
                    found.append(Hit(name, start, end, reason, exact=False))
        return sorted(found, key=lambda hit: (hit.start, hit.end, hit.rule))

    def _may_be(self, search: Search, low: int, high: int) -> bool:
        """Whether the letters around the stripped characters *low* to *high* suffice, if they agree as well."""
        if low == 0 and high == len(search.form.text):
            return True
        start, end = _letters_around(search.form, low, high)
        return bool(search.part) and _longest_private(search.form.public, start, end) >= search.part

    def _compare(self, bare: Bare, at: int, base: int, search: Search, low: int, high: int) -> None:
        form = search.form
        for start, end, first, last in _runs(bare, base, search, low, high):
            first, last = first + at, last + at
            reason = ""
            if start == 0 and end == len(form.letters):
                reason = SEPARATED if end >= SEPARATED_LETTERS else ""
            elif search.part and _longest_private(form.public, start, end) >= search.part:
                reason = FRAGMENT
            if reason or (start, end) == (0, len(form.letters)):
                for family in families(search.kind):
                    self.try_family(search.entry, family)
            if reason:
                self._loose.setdefault((search.entry, reason), []).append((first, last))
            if reason == FRAGMENT and search.kind == "plain":
                self._lines(search.entry, first, last)

    def _lines(self, entry: int, first: int, last: int) -> None:
        """Long lines of the value that are there as a whole are forms of their own."""
        for line in self._entries[entry].lines:
            at = self._text.find(line, max(0, first - len(line)), last + len(line))
            if at >= 0:
                self._exact.setdefault(entry, []).append(((at, at + len(line)), EXACT))


def _agreement(bare: bytes, base: int, form: bytes, at: int) -> tuple[int, int]:
    """From which to which of its characters *form* agrees with *bare*, around *at*, if it began at *base* there."""
    low = at
    step = 16
    while low > 0 and base + low > 0:
        size = min(step, low, base + low)
        if bare[base + low - size : base + low] == form[low - size : low]:
            low -= size
            step *= 2
        elif size == 1:
            break
        else:
            step = size // 2
    high = at
    step = 16
    end = min(len(form), len(bare) - base)
    while high < end:
        size = min(step, end - high)
        if bare[base + high : base + high + size] == form[high : high + size]:
            high += size
            step *= 2
        elif size == 1:
            break
        else:
            step = size // 2
    return low, high


def _letters_around(form: Stripped, low: int, high: int) -> Span:
    """The letters from *low* to *high*, and those next to them that stripping takes away."""
    start = form.places[low - 1] + 1 if low else 0
    end = form.places[high] if high < len(form.places) else len(form.letters)
    return start, end


def _longest_private(public: bytes, start: int, end: int) -> int:
    return max(map(len, public[start:end].split(b"\1")), default=0)


def _runs(bare: Bare, base: int, search: Search, low: int, high: int) -> list[tuple[int, int, int, int]]:
    """Which letters of the spelling are really there, in a row: from, to, and the offsets of the text."""
    form = search.form
    first, last = bare.place(base + low), bare.place(base + high - 1)
    start, end = form.places[low], form.places[high - 1] + 1
    found: list[tuple[int, int, int, int]] = []
    if last + 1 - first == end - start:
        there = bare.text[first : last + 1]
        if (there.lower() if search.folds else there) == form.letters[start:end]:
            found = [(start, end, first, last + 1)]
    if not found:
        found = _split(bare, base, search, low, high)
    kept = []
    for start, end, first, last in found:
        around = _letters_around(form, low, high)
        if start == form.places[low]:
            wanted = form.letters[around[0] : start]
            taken, first = before(bare.text, first, wanted, search.folds)
            start -= taken
        if end == form.places[high - 1] + 1:
            taken, last = behind(bare.text, last, form.letters[end : around[1]], search.folds)
            end += taken
        kept.append((start, end, first, last))
    return kept


def _split(bare: Bare, base: int, search: Search, low: int, high: int) -> list[tuple[int, int, int, int]]:
    form = search.form
    found: list[tuple[int, int, int, int]] = []
    start, first = form.places[low], bare.place(base + low)
    for index in range(low, high - 1):
        here, there = bare.place(base + index), bare.place(base + index + 1)
        wanted = form.letters[form.places[index] + 1 : form.places[index + 1]]
        if there - here == 1 and not wanted:
            continue
        if not between(bare.text, here + 1, there, wanted, search.folds):
            found.append((start, form.places[index] + 1, first, here + 1))
            start, first = form.places[index + 1], there
    found.append((start, form.places[high - 1] + 1, first, bare.place(base + high - 1) + 1))
    return found


def _long_lines(value: bytes, public: bytes) -> tuple[bytes, ...]:
    """Of a value in several lines (also escaped), the long ones that hold something private."""
    found = []
    for separator in (b"\n", b"\\n"):
        at = 0
        parts = value.split(separator)
        for part in parts if len(parts) > 1 else ():
            line = part.rstrip(b"\r")
            if len(line) >= _MIN_LINE_BYTES and letters(line) and 0 in public[at : at + len(line)]:
                found.append(line)
            at += len(part) + len(separator)
    return tuple(dict.fromkeys(found))


def _outermost(spans: list[tuple[Span, str]]) -> list[tuple[Span, str]]:
    """Without those that lie in another one; the longer first where two overlap."""
    kept: list[tuple[Span, str]] = []
    for span, reason in sorted(set(spans), key=lambda item: (item[0][0], -item[0][1], item[1])):
        if kept and span[1] <= kept[-1][0][1]:
            continue
        kept.append((span, reason))
    return kept


def _literal_places(text: bytes, value: bytes) -> list[Span]:
    found = []
    at = text.find(value)
    while at >= 0:
        found.append((at, at + len(value)))
        at = text.find(value, at + len(value))
    return found
