"""The grams and pieces of all known secrets in one database, and a pass over a text with it.

A text that has escapes which stripping does not take away (percent in several depths, HTML numbers with zeros, form
feeds between characters) is passed over once more with these blanked: same length, so the same offsets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from math import ceil

import hyperscan
from msgspec import Struct

from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.known_confirm import FRAGMENT_LETTERS, Entry, Gram, Search
from bot_bottle.dlp.known_forms import family
from bot_bottle.dlp.known_grams import Stripped, grams, stripped
from bot_bottle.dlp.known_pieces import PIECE_LETTERS, Piece, piece_grams
from bot_bottle.dlp.known_spans import Spans
from bot_bottle.dlp.projection import Places, letters, strip
from bot_bottle.dlp.variants import Variant, variants

MAX_PIECE_GRAMS = 4096
"""Some 120 secrets are looked for in pieces: those grams are short, and cost more than all others. A bottle with
more secrets is warned of those that are left out."""
_MIN_ODD_BYTES = 6
"""A spelling without letters is looked for by so many bytes of it at least"""
_ODD_BYTES = 16

_TRIGGERS = (rb"%25[0-9A-Fa-f]{2}", rb"&#[xX]?0", rb"[ux]\{0", rb"\\[bfv][^\\]{0,14}\\[bfv]")
_BLANK = re.compile(rb"(?<=%)(?:25)+(?=[0-9A-Fa-f]{2})|(?<=&#)[xX]?0+(?=[0-9A-Fa-f])|(?<=[ux]\{)0+|\\[bfv]")


class PieceSpan(Struct, frozen=True):
    """A piece of a secret in a text."""

    piece: Piece
    start: int
    end: int


class Pass(Struct, frozen=True):
    """What one pass found."""

    shown: bytes
    """the text, or the text with parts blanked"""
    bare: bytes
    """that, stripped"""
    grams: list[tuple[int, int, Gram]]
    """start and end in ``bare``"""
    pieces: list[tuple[int, int, Piece]]
    families: list[tuple[int, str]]
    """secrets (by index) of which an exact form may lie in the text, and in which family of spellings"""


class Index:
    """Made once for the secrets of a bottle; holds Hyperscan's scratch space, so it is of one thread."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.searches: list[Search] = []
        self.whole: list[str] = []
        """names of secrets that are not looked for in pieces, since there are too many"""
        self.piece_masks: dict[int, bytes] = {}
        """for each letter of a secret, 1 where a piece covers it"""
        self._numbers: dict[tuple[bytes, bool], int] = {}
        self._grams: list[list[Gram]] = []
        self._pieces: list[list[Piece]] = []
        self._odd: dict[bytes, list[tuple[int, str]]] = {}
        for entry in entries:
            self._add(entry)
        self._add_pieces(entries)
        self._sizes = [len(text) for text, _folds in self._numbers]
        self._database = database(list(self._numbers))
        self._odd_names = list(self._odd.values())
        self._odd_database = database([(data, True) for data in self._odd])

    def look(self, text: bytes) -> list[Pass]:
        """The passes that found anything."""
        if not text:
            return []
        found = [self._pass(text, self._families(text))]
        if self._database is not None and _has_more_escapes(text):
            found.append(self._pass(_BLANK.sub(_blanks, text), []))
        return [one for one in found if one.grams or one.pieces or one.families]

    def pieces(
        self, passes: Iterable[Pass], hits: Iterable[Hit], settled: frozenset[str], entries: Sequence[Entry]
    ) -> tuple[PieceSpan, ...]:
        """Where pieces lie, of all passes; without those that *hits* of the same secret cover, and those of secrets
        whose name is in *settled*."""
        covered: dict[str, list[tuple[int, int]]] = {}
        for hit in hits:
            covered.setdefault(hit.rule, []).append((hit.start, hit.end))
        spans = {name: Spans(parts) for name, parts in covered.items()}
        found: dict[PieceSpan, None] = {}
        for one in passes:
            places = Places(one.shown)
            for start, end, piece in one.pieces:
                name = entries[piece.entry].name
                first, last = places[start], places[end - 1] + 1
                if name not in settled and not (name in spans and spans[name].hold(first, last)):
                    found[PieceSpan(piece, first, last)] = None
        return tuple(found)

    def _pass(self, shown: bytes, families: list[tuple[int, str]]) -> Pass:
        bare = strip(shown)
        found: list[tuple[int, int]] = []
        if self._database is not None and bare:
            self._database.scan(bare, match_event_handler=handler(found))
        one = Pass(shown, bare, [], [], families)
        for number, end in found:
            start = end - self._sizes[number]
            one.grams.extend((start, end, gram) for gram in self._grams[number])
            one.pieces.extend((start, end, piece) for piece in self._pieces[number])
        return one

    def _families(self, text: bytes) -> list[tuple[int, str]]:
        if self._odd_database is None:
            return []
        found: list[tuple[int, int]] = []
        self._odd_database.scan(text, match_event_handler=handler(found))
        numbers = dict.fromkeys(number for number, _end in found)
        return [name for number in numbers for name in self._odd_names[number]]

    def _add(self, entry: Entry) -> None:
        told: set[bytes] = set()
        for variant in variants(entry.value, entry.public):
            form = stripped(variant)
            if form.text in told and not variant.window:
                continue
            told.add(form.text)
            chosen = grams(form, variant.window)
            if not chosen:
                self._add_odd(entry, variant)
                continue
            part = _part(form, entry.value) if variant.window else 0
            self.searches.append(Search(entry.index, variant.kind, form, variant.folds, part))
            for gram in chosen:
                use = Gram(len(self.searches) - 1, gram.at)
                self._grams[self._number(gram.text, variant.folds)].append(use)

    def _add_odd(self, entry: Entry, variant: Variant) -> None:
        """A spelling with hardly a letter or digit: looked for as it is."""
        data = max(variant.data.split(b"\0"), key=len)[:_ODD_BYTES].lower()
        if len(data) >= _MIN_ODD_BYTES:
            self._odd.setdefault(data, []).append((entry.index, family(variant.kind)))

    def _add_pieces(self, entries: Sequence[Entry]) -> None:
        count = 0
        for entry in entries:
            found = piece_grams(entry.value, entry.public)
            if count + len(found) > MAX_PIECE_GRAMS:
                self.whole.append(entry.name)
                continue
            count += len(found)
            mask = bytearray(len(letters(entry.value)))
            for index, text in found:
                self._pieces[self._number(text, False)].append(Piece(entry.index, index))
                mask[index : index + PIECE_LETTERS] = b"\1" * PIECE_LETTERS
            if found:
                self.piece_masks[entry.index] = bytes(mask)

    def _number(self, text: bytes, folds: bool) -> int:
        number = self._numbers.setdefault((text, folds), len(self._numbers))
        if number == len(self._grams):
            self._grams.append([])
            self._pieces.append([])
        return number


def database(literals: Sequence[tuple[bytes, bool]]) -> hyperscan.Database | None:
    """A database of literals, each with whether case does not count. None: there are none."""
    if not literals:
        return None
    simple = all(text.isalnum() for text, _folds in literals)
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=[text if simple else _escaped(text) for text, _folds in literals],
        ids=list(range(len(literals))),
        elements=len(literals),
        flags=[hyperscan.HS_FLAG_CASELESS if folds else 0 for _text, folds in literals],
        literal=simple,
    )
    return made


def _escaped(text: bytes) -> bytes:
    """As a pattern, in which zero bytes can stand."""
    return b"".join(bytes([byte]) if bytes([byte]).isalnum() else b"\\x%02x" % byte for byte in text)


def handler(found: list[tuple[int, int]]) -> Callable[[int, int, int, int, object], None]:
    """A handler that notes number and end of each match."""
    append = found.append

    def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        append((number, end))

    return note


def _part(form: Stripped, value: bytes) -> int:
    """How many letters of a spelling are as much as twelve of the value's."""
    own = len(letters(value))
    return max(FRAGMENT_LETTERS, ceil(FRAGMENT_LETTERS * len(form.letters) / own)) if own else 0


def _blanks(match: re.Match[bytes]) -> bytes:
    return b" " * len(match[0])


def _triggers() -> hyperscan.Database:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=list(_TRIGGERS),
        ids=list(range(len(_TRIGGERS))),
        elements=len(_TRIGGERS),
        flags=hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL,
    )
    return made


_TRIGGER_DATABASE: list[hyperscan.Database] = []


def _has_more_escapes(text: bytes) -> bool:
    if not _TRIGGER_DATABASE:
        _TRIGGER_DATABASE.append(_triggers())
    found: list[tuple[int, int]] = []
    _TRIGGER_DATABASE[0].scan(text, match_event_handler=handler(found))
    return bool(found)
