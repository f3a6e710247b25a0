"""What of the known secrets is looked for in text as it is, in one database: pieces, spellings that have hardly a
letter, the few windows of a value of which stripping leaves too little (``known_alphabet``), and marks of escapes.

Pure; of one thread.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from bot_bottle.dlp.known_literals import Literals
from bot_bottle.dlp.known_pieces import PIECE_LETTERS, Piece, piece_texts
from bot_bottle.dlp.projection import IS_LETTER

MAX_PIECE_TEXTS = 2500
"""Some 70 secrets are looked for in pieces: these literals are short, and cost more than all others. A bottle with
more secrets is warned of those that are left out."""
_MIN_ODD_BYTES = 6
"""A spelling without letters is looked for by so many bytes of it at least"""
_ODD_BYTES = 16
_PART_LETTERS = 8


class Odd(Struct, frozen=True):
    """An exact form of secret *entry* may be here, in this family of spellings."""

    entry: int
    family: str


class Part(Struct, frozen=True):
    """Some letters of secret *entry* in a row, that begin *at* this offset of the value."""

    entry: int
    at: int


class PieceSpan(Struct, frozen=True):
    """A piece of a secret in a text."""

    piece: Piece
    start: int
    end: int


class RawFound(Struct, frozen=True):
    """What a text has of it."""

    odd: tuple[Odd, ...]
    parts: list[tuple[int, Part]]
    """and where each begins"""
    pieces: list[PieceSpan]
    marks: list[tuple[int, int]]
    """number and end of each"""


class RawIndex:
    """Add all, then ``compile`` once."""

    def __init__(self, marks: Iterable[bytes] = ()) -> None:
        """*marks* are looked for besides, in any mix of cases."""
        self._marks = list(marks)
        self.piece_masks: dict[int, bytes] = {}
        """for each letter of a secret, 1 where a piece covers it"""
        self._uses: dict[tuple[bytes, bool], list[Odd | Part | Piece]] = {}
        self._pieces = 0
        self._found: list[tuple[int, list[Odd | Part | Piece]]] = []
        self._literals = Literals(())

    def add_odd(self, entry: int, family: str, spelled: bytes) -> None:
        """A spelling that is looked for as it is."""
        data = max(spelled.split(b"\0"), key=len)[:_ODD_BYTES].lower()
        if len(data) >= _MIN_ODD_BYTES:
            self._uses.setdefault((data, True), []).append(Odd(entry, family))

    def add_windows(self, entry: int, value: bytes, windows: Iterable[tuple[int, int]]) -> None:
        """Windows (of letters: from, to) of *value*, in order."""
        places = [index for index, letter in enumerate(value.translate(IS_LETTER)) if letter]
        last = (0, 0)
        for start, end in windows:
            if not (last[0] >= start and last[1] <= end and last[1]):
                last = (end - _PART_LETTERS, end)
                first, stop = places[last[0]], places[last[1] - 1] + 1
                self._uses.setdefault((value[first:stop], False), []).append(Part(entry, first))

    def add_pieces(self, entry: int, value: bytes, public: bytes) -> bool:
        """False: there are too many, this one is left out."""
        found = list(piece_texts(value, public))
        if self._pieces + len(found) > MAX_PIECE_TEXTS:
            return False
        self._pieces += len(found)
        mask = bytearray(sum(value.translate(IS_LETTER)))
        for index, text in found:
            self._uses.setdefault((text, False), []).append(Piece(entry, index))
            mask[index : index + PIECE_LETTERS] = b"\1" * PIECE_LETTERS
        if found:
            self.piece_masks[entry] = bytes(mask)
        return True

    def compile(self) -> None:
        """To be called before any ``look``."""
        self._found = [(len(text), uses) for (text, _folds), uses in self._uses.items()]
        self._literals = Literals([*self._uses, *((mark, True) for mark in self._marks)], pad=True)

    def look(self, text: bytes) -> RawFound:
        """All that is in *text*."""
        odd: dict[Odd, None] = {}
        parts: list[tuple[int, Part]] = []
        pieces: list[PieceSpan] = []
        marks: list[tuple[int, int]] = []
        known = len(self._found)
        for number, end in self._literals.scan(text):
            if number >= known:
                marks.append((number - known, end))
                continue
            size, uses = self._found[number]
            for use in uses:
                if isinstance(use, Piece):
                    pieces.append(PieceSpan(use, end - size, end))
                elif isinstance(use, Part):
                    parts.append((end - size, use))
                else:
                    odd[use] = None
        return RawFound(tuple(odd), parts, pieces, marks)
