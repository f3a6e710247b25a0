"""Which six-character pieces of a secret are looked for (dlp.md §2, step 4).

Only pieces that no text has by chance: none that touches a public part, and none that could be a word: it has a
digit among letters, or capitals within. A secret made of words has no such pieces; parts of it that are sent one by
one are not found (docs/threat-model.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.dlp.projection import letters

PIECE_LETTERS = 6


class Piece(Struct, frozen=True):
    """A piece of secret *entry* that begins at its letter *index*."""

    entry: int
    index: int


def piece_texts(value: bytes, public: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each piece begins among the value's letters, and how it looks: with what the value has between its
    letters, and without."""
    places = [index for index, byte in enumerate(value) if byte < 128 and chr(byte).isalnum()]
    text = letters(value)
    for index in range(len(text) - PIECE_LETTERS + 1):
        start, end = places[index], places[index + PIECE_LETTERS - 1] + 1
        piece = text[index : index + PIECE_LETTERS]
        if any(public[start:end]) or could_be_a_word(piece):
            continue
        yield index, piece
        if end - start != PIECE_LETTERS:
            yield index, value[start:end]


def could_be_a_word(piece: bytes) -> bool:
    """Letters in one case, or with the first one a capital; or digits only."""
    if piece.isdigit():
        return True
    return piece.isalpha() and (piece.islower() or piece.isupper() or piece[1:].islower())
