"""Which alphabet texts are stripped to, for the secrets of one bottle: the smallest that leaves enough of each.

Of a random value of 40 letters the smallest alphabet leaves too little of one window of twelve in 120. A few such
windows in a value are looked for in the text as it is, that is without separators; with separators a part is found
there when it is one or two letters longer. A value with more of them (words, for one) gets the letters that it needs,
at some 0.2 ns a byte for each.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import compress

from bot_bottle.dlp.known_grams import MIN_GRAM_CHARACTERS
from bot_bottle.dlp.projection import COMMON_LETTERS, ESCAPE_LETTERS, IS_LETTER, Alphabet, letters

WINDOW_LETTERS = 12
"""dlp.md §2: any so many letters in a row are found"""
MAX_POOR = 0.25
"""So many of a value's windows may have less"""


def choose(values: Iterable[tuple[bytes, bytes]], shortest: int = MIN_GRAM_CHARACTERS) -> Alphabet:
    """For secrets, each with its mask of public bytes. *shortest*: of a window so many characters have to stay."""
    all_windows = [list(_windows(value, public)) for value, public in values]
    without = COMMON_LETTERS
    while without:
        gone = set(ESCAPE_LETTERS + without)
        wanting: Counter[int] = Counter()
        for windows in all_windows:
            poor = [window for window in windows if sum(byte not in gone for byte in window) < shortest]
            if len(poor) > len(windows) * MAX_POOR:
                wanting.update(byte for window in poor for byte in set(window) & set(without))
        if not wanting:
            break
        most = max(wanting, key=lambda byte: (wanting[byte], byte))
        without = without.replace(bytes([most]), b"")
    return Alphabet(without)


def _windows(value: bytes, public: bytes) -> Iterable[bytes]:
    """Twelve private letters in a row, in lower case; all letters of a value that has not so many."""
    text = letters(value).lower()
    marks = bytes(compress(public, value.translate(IS_LETTER)))
    found = False
    for at in range(len(text) - WINDOW_LETTERS + 1):
        if 1 not in marks[at : at + WINDOW_LETTERS]:
            found = True
            yield text[at : at + WINDOW_LETTERS]
    if not found and text:
        yield text
