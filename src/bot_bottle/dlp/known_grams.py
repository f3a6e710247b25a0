"""Which short strings of stripped text are looked for, so that every window of a variant holds at least one.

The cost of Hyperscan's literal matcher grows with the number of grams only as far as text passes its first filter,
the last characters of a gram. So among the grams that would do, those are taken that end in characters which code
and JSON seldom have: with a thousand secrets that is the difference between flat and not.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, compress, pairwise

from msgspec import Struct

from bot_bottle.dlp.projection import IS_LETTER, Alphabet, letters
from bot_bottle.dlp.variants import Variant

GRAM_CHARACTERS = 8
"""What Hyperscan's literal matcher looks at"""
MIN_GRAM_CHARACTERS = 4
"""A shorter one is everywhere"""
MIN_GRAM_OF_MANY = 5
"""With hundreds of secrets: of all that is found by chance nearly all is found by four characters"""
SHORT_GRAM_CHARACTERS = 6
"""In a window of twelve: leaves a choice among several"""

_WEIGHTS = {
    **dict.fromkeys(b"0123456789", 6),
    **dict.fromkeys(b"ABCDEFGHIJKLMOPQSVWYZ", 3),
    **dict(zip(b"eaosilcdpmfhbgyvwkqjz", range(100, 0, -4), strict=False)),
    **dict.fromkeys(b"zjq", 2),
    **dict.fromkeys(b"kvwy", 12),
}
"""How often a character stands in stripped code, roughly, per thousand"""


class Gram(Struct, frozen=True):
    """Some characters of a variant's stripped form, beginning at ``at``."""

    text: bytes
    at: int

    def __repr__(self) -> str:
        return f"Gram({self.at})"


class Stripped(Struct, frozen=True):
    """A variant as it is searched."""

    text: bytes
    """stripped; in lower case if the variant folds"""
    places: tuple[int, ...]
    """for each stripped character its index among ``letters``"""
    letters: bytes
    """all letters and digits; in lower case if the variant folds"""
    public: bytes
    """the mask, one byte for each of ``letters``"""

    def __repr__(self) -> str:
        return f"Stripped({len(self.text)})"


def stripped(variant: Variant, alphabet: Alphabet) -> Stripped:
    """The variant's two projections and how they belong together."""
    data = variant.data.lower() if variant.folds else variant.data
    text = letters(data)
    public = variant.public
    if len(text) < len(data):
        public = bytes(compress(public, data.translate(IS_LETTER)))
    return Stripped(alphabet.strip(text), tuple(alphabet.places(text)), text, public)


def grams(form: Stripped, window: int, shortest: int = MIN_GRAM_CHARACTERS) -> list[Gram]:
    """So few grams that each *window* letters in a row without a public one hold one whole; with *window* 0, or
    where the whole is shorter than it: that the whole holds one. Empty: it has too few characters for that."""
    size = len(form.letters)
    if not form.text:
        return []
    chosen = _covering(form, window, shortest) if window and window <= size else []
    return chosen or _any(form)


def poor_windows(form: Stripped, window: int, shortest: int) -> list[tuple[int, int]]:
    """The windows (of letters: from, to) of which too little is left for any gram."""
    return [(end - window, end) for end, low, high in _windows(form, window) if high - low < shortest]


def _windows(form: Stripped, window: int) -> Iterator[tuple[int, int, int]]:
    """Each window without a public letter: its end, and from where to where its stripped characters are."""
    clear = low = high = 0
    total = len(form.places)
    for end, mark in enumerate(form.public, 1):
        clear = 0 if mark else clear + 1
        if clear < window:
            continue
        while low < total and form.places[low] < end - window:
            low += 1
        while high < total and form.places[high] < end:
            high += 1
        yield end, low, high


def _covering(form: Stripped, window: int, shortest: int) -> list[Gram]:
    chosen: list[Gram] = []
    length = GRAM_CHARACTERS if window > 12 else SHORT_GRAM_CHARACTERS
    last_start, last_end = -1, -1
    weights = _weights(form.text)
    for _end, low, high in _windows(form, window):
        if last_start >= low and last_end <= high:
            continue
        size = min(length, high - low)
        if size < shortest:
            continue
        start = _best(weights, low, high - size, size)
        chosen.append(Gram(form.text[start : start + size], start))
        last_start, last_end = start, start + size
    return chosen


def _any(form: Stripped) -> list[Gram]:
    """One for the whole; of what is private, if that is enough for one."""
    size = min(GRAM_CHARACTERS, len(form.text))
    if size < MIN_GRAM_CHARACTERS:
        return []
    marks = [form.public[place] for place in form.places]
    sums = list(accumulate(marks, initial=0))
    weights = _weights(form.text)
    badness = [
        (sums[start + size] - sums[start], weights[start + size - 1])
        for start in range(len(form.text) - size + 1)
    ]
    best = badness.index(min(badness))
    return [Gram(form.text[best : best + size], best)]


def _best(weights: list[int], first: int, last: int, size: int) -> int:
    """Among starts from *first* to *last*: the rarest end, and rather the later, which covers more windows."""
    rated = [weights[start + size - 1] / (start - first + 1) for start in range(first, last + 1)]
    return first + rated.index(min(rated))


def _weights(text: bytes) -> list[int]:
    """How common it is in code that a gram ends with each character and the one before it."""
    single = [_WEIGHTS.get(byte, 50) for byte in text]
    return [first * second for first, second in pairwise([50, *single])]
