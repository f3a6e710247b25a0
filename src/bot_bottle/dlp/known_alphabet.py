"""Which alphabets texts are stripped to, for the secrets of one bottle: the smallest that leave enough of each.

There are two. The *exact* one keeps capitals, digits and few small letters; spellings in which case counts are
searched in what it leaves. Of that the *folding* one takes the capitals away which it has not in both cases, so that
what is left of a spelling is the same in whatever mix of cases.

Of a random value of 40 letters the smallest alphabet leaves too little of one window of twelve in 100. A few such
windows in a value are looked for in the text as it is, that is without separators; with separators a part is found
there when it is one or two letters longer. A value with more of them (one of small letters) gets the letters that it
needs, the rarest in texts first, at some 0.1 to 0.2 ns a byte for each.

Pure.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress

from msgspec import Struct

from bot_bottle.dlp.known_grams import MIN_GRAM_CHARACTERS
from bot_bottle.dlp.projection import ESCAPE_LETTERS, IS_LETTER, Alphabet, letters

WINDOW_LETTERS = 12
"""dlp.md §2: any so many letters in a row are found"""
MAX_POOR = 0.15
"""So many of a value's windows may have less"""
MAX_POOR_OF_MANY = 0.25
"""The same with hundreds of secrets"""
MIN_FOLDED = 6
"""So many characters of a value are left whatever their case, if it has so many at all"""
_FOLD_BYTES = 16
"""Shorter values are found in their own case only (dlp.md §2)"""
_CAPITALS = bytes(set(string.ascii_uppercase.encode()) - set(ESCAPE_LETTERS.upper()))
_DIGITS = string.digits.encode()
_ALWAYS = b"zqj"
_RARE = bytes(byte for byte in b"kvwybgpfhmdclsioae" if byte not in ESCAPE_LETTERS)
"""Small letters that may be added, the rarest in code and prose first"""
_COST = {letter: place for place, letter in enumerate(_RARE, 4)}


class Alphabets(Struct, frozen=True):
    exact: Alphabet
    folding: Alphabet


def choose(values: Sequence[tuple[bytes, bytes]], shortest: int = MIN_GRAM_CHARACTERS) -> Alphabets:
    """For secrets, each with its mask of public bytes. *shortest*: of a window so many characters have to stay."""
    folding = _folding([value for value, _public in values])
    small = _small(values, folding, shortest)
    return Alphabets(
        exact=Alphabet(bytes({*_DIGITS, *_CAPITALS, *folding.upper(), *small})),
        folding=Alphabet(_DIGITS + folding + folding.upper()),
    )


def _folding(values: Iterable[bytes]) -> bytes:
    """Small letters that suffice to find each value in any mix of cases."""
    folded = [letters(value).lower() for value in values if len(value) >= _FOLD_BYTES]
    chosen = _ALWAYS
    for letter in _RARE:
        kept = {*_DIGITS, *chosen}
        if all(sum(byte in kept for byte in value) >= MIN_FOLDED for value in folded):
            break
        chosen += bytes([letter])
    return chosen


def _small(values: Iterable[tuple[bytes, bytes]], first: bytes, shortest: int) -> bytes:
    """Small letters, *first* among them, with which no value has many poor windows."""
    most = MAX_POOR if shortest == MIN_GRAM_CHARACTERS else MAX_POOR_OF_MANY
    all_windows = [list(_windows(value, public)) for value, public in values]
    chosen = first
    while len(chosen) < len(_ALWAYS) + len(_RARE):
        kept = {*_DIGITS, *_CAPITALS, *chosen, *first.upper()}
        wanting: Counter[int] = Counter()
        for windows in all_windows:
            poor = [window for window in windows if sum(byte in kept for byte in window) < shortest]
            if len(poor) > len(windows) * most:
                wanting.update(byte for window in poor for byte in set(window) & (_COST.keys() - kept))
        if not wanting:
            break
        chosen += bytes([max(wanting, key=lambda byte: (wanting[byte] / _COST[byte], byte))])
    return chosen


def _windows(value: bytes, public: bytes) -> Iterable[bytes]:
    """Twelve private letters in a row; all letters of a value that has not so many."""
    text = letters(value)
    marks = bytes(compress(public, value.translate(IS_LETTER)))
    found = False
    for at in range(len(text) - WINDOW_LETTERS + 1):
        if 1 not in marks[at : at + WINDOW_LETTERS]:
            found = True
            yield text[at : at + WINDOW_LETTERS]
    if not found and text:
        yield text
