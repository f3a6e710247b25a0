"""Where ASCII text lies in base64, base32 or hex, at whatever alignment: by shape.

The automata that know the shapes cost as much as all other passes together, so they see only those parts of a text
in which a long run of base64 characters is, which a native test tells quickly.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import hyperscan as hs

from bot_bottle.dlp.views.alphabets import BASE32, BASE64, HEX, Alphabet, characters, line_start, read_run
from bot_bottle.dlp.views.triggers import Matcher

MIN_RUN = 32
"""characters: 24 bytes of base64; what is shorter (an AWS key id alone) has a mark of its own in ``triggers``"""
MIN_UNMARKED = 104
"""characters of a run that is tried for packed data without a mark; hashes and signatures are shorter"""
_HEAD_CHARS = 1024
"""of such a run, that are tried"""
WINDOW_BYTES = 4096
"""of text that the automaton gets at once behind the beginning of a long run"""
MAX_WINDOW_BYTES = 64 * 1024
"""the same, where one long run follows another: fewer calls"""
_LOOKBACK = 128
"""nothing that is looked for is longer than this, so windows that overlap so far miss none"""
_RUNS = {
    "any": rb"[A-Za-z0-9+/_-]{%d}" % MIN_RUN,
    "hex": rb"[0-9a-fA-F]{%d}" % MIN_RUN,
    "base32": rb"[A-Z2-7]{%d}" % MIN_RUN,
    "unmarked": rb"[A-Za-z0-9+/_-]{%d}" % MIN_UNMARKED,
}
"""each in a database of its own, where it costs next to nothing"""
_PRINTABLE = rb"[\t\n\r\x20-\x7e]{16}|(?:[\x20-\x7e]\x00){8}"


@cache
def _run(name: str) -> Matcher:
    return Matcher([(_RUNS[name], hs.HS_FLAG_SINGLEMATCH)])


@cache
def _shape(alphabet: Alphabet) -> Matcher:
    return Matcher([(alphabet.shape, hs.HS_FLAG_SINGLEMATCH)])


@cache
def _printable() -> Matcher:
    return Matcher([(_PRINTABLE, hs.HS_FLAG_SINGLEMATCH | hs.HS_FLAG_DOTALL)])


def prepare() -> None:
    """As :func:`bot_bottle.dlp.views.triggers.prepare`."""
    for name in _RUNS:
        _run(name)
    _shape(BASE64)


def has_text(data: bytes) -> bool:
    """Some ASCII or UTF-16 stands in *data*: a wrong alignment gives none."""
    return bool(_printable().first(data))


class LongRuns:
    """The parts of a text that hold long runs of base64 characters."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._windows = _windows(text)
        size = sum(end - begin for begin, end in self._windows)
        self._sample = (
            text if 2 * size > len(text) else b"\0".join(text[begin:end] for begin, end in self._windows)
        )
        """all that could match, to be asked with one call"""

    def shaped(self) -> Iterator[tuple[Alphabet, int]]:
        """Each run that has a shape: its alphabet and where a group ends; once for a run."""
        if not self._sample:
            return
        for alphabet in (HEX, BASE32):
            if _run(alphabet.kind).first(self._sample) and _shape(alphabet).first(self._sample):
                yield from _in_window(alphabet, self._text, 0, len(self._text))
        if not _shape(BASE64).first(self._sample):
            return
        done = 0
        for begin, end in self._windows:
            for alphabet, place in _in_window(BASE64, self._text, max(begin, done), end):
                yield alphabet, place
                done = max(place, read_run(alphabet, self._text, place)[1])

    def heads(self) -> Iterator[tuple[int, int, bytes]]:
        """Where very long runs of base64 begin and end, and what their beginnings decode to."""
        if not self._sample or not _run("unmarked").first(self._sample):
            return
        text, at, view = self._text, 0, memoryview(self._text)
        while hit := _run("unmarked").first(view[at:]):
            place = at + hit[0][1]
            start, end = read_run(BASE64, text, place)
            for begin in {
                start,
                line_start(text, place, BASE64.chars),
            }:  # a word may stand on the line before
                head = characters(text, begin, min(end, begin + 2 * _HEAD_CHARS))[:_HEAD_CHARS]
                yield begin, end, BASE64.decode(head[: len(head) & ~3])
            at = max(end, place)


def _windows(text: bytes) -> list[tuple[int, int]]:
    at, size, width, view = 0, len(text), WINDOW_BYTES, memoryview(text)
    found = []
    while at < size and (run := _run("any").first(view[at:])):
        begin = at + run[0][1] - MIN_RUN
        width = min(2 * width, MAX_WINDOW_BYTES) if at and begin - at < WINDOW_BYTES // 4 else WINDOW_BYTES
        end = min(size, begin + width)
        found.append((begin, end))
        at = end if end == size else end - _LOOKBACK
    return found


def _in_window(alphabet: Alphabet, text: bytes, begin: int, end: int) -> Iterator[tuple[Alphabet, int]]:
    view = memoryview(text)
    while begin < end:
        hit = _shape(alphabet).first(view[begin:end])
        if not hit:
            return
        place = begin + hit[0][1]
        yield alphabet, place
        begin = max(place, read_run(alphabet, text, place)[1])
