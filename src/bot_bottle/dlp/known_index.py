"""The grams of all known secrets in one database, and passes over a text with it.

Where a text has escapes which stripping does not take away (percent in several depths, HTML numbers with zeros, form
feeds between characters), what is around them is passed over once more with these blanked: same length, so the same
offsets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import ceil

from msgspec import Struct

from bot_bottle.dlp.known_alphabet import choose
from bot_bottle.dlp.known_confirm import FRAGMENT_LETTERS, Entry, Gram, Search
from bot_bottle.dlp.known_forms import family
from bot_bottle.dlp.known_grams import (
    MIN_GRAM_CHARACTERS,
    MIN_GRAM_OF_MANY,
    Stripped,
    grams,
    poor_windows,
    stripped,
)
from bot_bottle.dlp.known_literals import Literals
from bot_bottle.dlp.known_raw import RawIndex
from bot_bottle.dlp.known_spans import Spans
from bot_bottle.dlp.projection import Alphabet, Bare, letters
from bot_bottle.dlp.variants import Variant, variants

MANY = 200
"""Of more secrets only the spellings are searched that views do not decode: a thousand would take three seconds to
compile"""
LONG_BYTES = 4096
"""The same for values that are longer, and parts of them have to be longer in proportion"""

_TRIGGERS = (b"%25", b"&#0", b"&#x0", b"u{0", b"x{0")
_FEEDS = (b"\\b", b"\\f", b"\\v")
"""Looked for only where their letters are among those that stay"""
_FEED_BYTES = 16
"""Two escapes of this kind so near to each other may stand between the characters of a secret"""
_AROUND_BYTES = 256
"""So much text before and behind an escape belongs to it: more than there is in a window of twelve letters"""
_BLANK = re.compile(rb"(?<=%)(?:25)+(?=[0-9A-Fa-f]{2})|(?<=&#)[xX]?0+(?=[0-9A-Fa-f])|(?<=[ux]\{)0+|\\[bfv]")


class Pass(Struct, frozen=True):
    """What one pass found."""

    bare: Bare
    """of the text, or of a part of it with escapes blanked"""
    at: int
    """where in the text that part begins"""
    grams: list[tuple[int, int, Gram]]
    """start and end in ``bare``"""


class _Grams:
    """The grams of the spellings that are searched in what one alphabet leaves."""

    def __init__(self, alphabet: Alphabet, folds: bool) -> None:
        self.alphabet = alphabet
        self._folds = folds
        self._uses: dict[bytes, list[Gram]] = {}
        self._found: list[tuple[int, list[Gram]]] = []
        self._literals = Literals(())

    def __bool__(self) -> bool:
        return bool(self._uses)

    def add(self, text: bytes, use: Gram) -> None:
        self._uses.setdefault(text, []).append(use)

    def compile(self) -> None:
        """To be called before any ``scan``."""
        self._found = [(len(text), uses) for text, uses in self._uses.items()]
        self._literals = Literals([(text, self._folds) for text in self._uses], pad=self._folds)

    def scan(self, bare: bytes) -> list[tuple[int, int, Gram]]:
        """Start and end of each gram in stripped text, by their ends."""
        found = []
        for number, end in self._literals.scan(bare):
            size, uses = self._found[number]
            found += [(end - size, end, use) for use in uses]
        return found


class Index:
    """Made once for the secrets of a bottle; holds Hyperscan's scratch space, so it is of one thread."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        few = len(entries) > MANY
        self._shortest = MIN_GRAM_OF_MANY if few else MIN_GRAM_CHARACTERS
        alphabets = choose([(entry.value, entry.public) for entry in entries], self._shortest)
        self._exact = _Grams(alphabets.exact, folds=False)
        self._folding = _Grams(alphabets.folding, folds=True)
        self.searches: list[Search] = []
        self.whole: list[str] = []
        """names of secrets that are not looked for in pieces, since there are too many"""
        feeds = [feed for feed in _FEEDS if feed[1] in alphabets.exact.kept]
        self.raw = RawIndex([*_TRIGGERS, *feeds])
        for entry in entries:
            self._add(entry, variants(entry.value, entry.public, few or len(entry.value) > LONG_BYTES))
            if not self.raw.add_pieces(entry.index, entry.value, entry.public):
                self.whole.append(entry.name)
        self._exact.compile()
        self._folding.compile()
        self.raw.compile()

    def look(self, text: bytes, marks: Iterable[tuple[int, int]]) -> list[Pass]:
        """The passes over *text* stripped that found anything. *marks*: what ``raw`` saw of escapes in it."""
        found = self._passes(text, 0)
        for start, end in _escaped_parts(text, marks):
            found += self._passes(_BLANK.sub(_blanks, text[start:end]), start)
        return found

    def _passes(self, shown: bytes, at: int) -> list[Pass]:
        """Those over *shown*, which stands *at* an offset of the text."""
        if not (self._exact or self._folding):
            return []
        data = self._exact.alphabet.strip(shown)
        found = []
        for searched, bare in ((self._exact, data), (self._folding, self._folding.alphabet.strip(data))):
            if there := searched.scan(bare):
                found.append(Pass(Bare(shown, searched.alphabet, bare), at, there))
        return found

    def _add(self, entry: Entry, spellings: Iterable[Variant]) -> None:
        told: set[tuple[bytes, bool]] = set()
        for variant in spellings:
            all_grams = self._folding if variant.folds else self._exact
            form = stripped(variant, all_grams.alphabet)
            if (form.letters, variant.folds) in told and not variant.window:
                continue
            told.add((form.letters, variant.folds))
            chosen = grams(form, variant.window, self._shortest)
            if variant.kind == "plain" and len(entry.value) <= LONG_BYTES:
                self.raw.add_windows(
                    entry.index, entry.value, poor_windows(form, variant.window, self._shortest)
                )
            if not chosen:
                self.raw.add_odd(entry.index, family(variant.kind), variant.data)
                continue
            part = _part(form, variant.window, entry.value) if variant.window else 0
            self.searches.append(Search(entry.index, variant.kind, form, variant.folds, part))
            for gram in chosen:
                all_grams.add(gram.text, Gram(len(self.searches) - 1, gram.at))


def _escaped_parts(text: bytes, marks: Iterable[tuple[int, int]]) -> Spans:
    """What is around escapes that hide separators, or are some."""
    parts = []
    last = -_FEED_BYTES
    for number, end in marks:
        if number < len(_TRIGGERS) or end - last <= _FEED_BYTES:
            parts.append((max(0, end - _AROUND_BYTES), min(len(text), end + _AROUND_BYTES)))
        last = end
    return Spans(parts)


def _part(form: Stripped, window: int, value: bytes) -> int:
    """How many letters of a spelling are evidence: as much as twelve of the value's; of long values more."""
    own = len(letters(value))
    twelve = ceil(FRAGMENT_LETTERS * len(form.letters) / own) if own else 0
    return max(FRAGMENT_LETTERS, twelve, window if len(value) > LONG_BYTES else 0)


def _blanks(match: re.Match[bytes]) -> bytes:
    return b" " * len(match[0])
