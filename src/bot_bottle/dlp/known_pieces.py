"""Which six-character pieces of a secret are looked for (dlp.md §2, step 4).

Only pieces that no text has by chance: none that touches a public part, and none that could be a word: it has a
digit among letters, or capitals within. A secret made of words has no such pieces; parts of it that are sent one by
one are not found (docs/threat-model.md).
"""

from __future__ import annotations

from msgspec import Struct

from bot_bottle.dlp.projection import letters, strip

PIECE_LETTERS = 6
_MIN_STRIPPED = 4
"""A piece of which stripping leaves less is not looked for"""


class Piece(Struct, frozen=True):
    """A piece of secret *entry* that begins at its letter *index*."""

    entry: int
    index: int


def piece_grams(value: bytes, public: bytes) -> list[tuple[int, bytes]]:
    """Where each piece begins among the value's letters, and what is looked for in stripped text."""
    text = letters(value)
    marks = bytes(
        mark for byte, mark in zip(value, public, strict=True) if byte < 128 and chr(byte).isalnum()
    )
    found = []
    for index in range(len(text) - PIECE_LETTERS + 1):
        piece = text[index : index + PIECE_LETTERS]
        bare = strip(piece)
        if len(bare) < _MIN_STRIPPED or any(marks[index : index + PIECE_LETTERS]):
            continue
        if not could_be_a_word(piece):
            found.append((index, bare))
    return found


def could_be_a_word(piece: bytes) -> bool:
    """Letters in one case, or with the first one a capital; or digits only."""
    if piece.isdigit():
        return True
    return piece.isalpha() and (piece.islower() or piece.isupper() or piece[1:].islower())
