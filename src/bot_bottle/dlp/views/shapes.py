"""Where ASCII text lies in base64, base32 or hex, at whatever alignment: by shape.

The automaton that knows the shapes costs as much as all other passes together, so it sees only those parts of a
text in which a long run of base64 characters is, which a native test tells quickly.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import cache

import hyperscan as hs

from bot_bottle.dlp.views.alphabets import BASE32, BASE64, HEX, Alphabet, read_run
from bot_bottle.dlp.views.triggers import Matcher, Sign

MIN_RUN = 32
"""characters: 24 bytes of base64; what is shorter (an AWS key id alone) has a mark of its own in ``triggers``"""
WINDOW_BYTES = 4096
"""of text that the automaton gets at once behind the beginning of a long run"""
MAX_WINDOW_BYTES = 64 * 1024
"""the same, where one long run follows another: fewer calls"""
_LOOKBACK = 64
"""no shape is longer than this, so windows that overlap so far miss none"""
_PRINTABLE = rb"[\t\n\r\x20-\x7e]{16}|(?:[\x20-\x7e]\x00){8}"


@cache
def _long_run() -> Matcher:
    return Matcher([(rb"[A-Za-z0-9+/_-]{%d}" % MIN_RUN, hs.HS_FLAG_SINGLEMATCH)])


@cache
def _shape(alphabet: Alphabet) -> Matcher:
    return Matcher([(alphabet.shape, hs.HS_FLAG_SINGLEMATCH)])


@cache
def _printable() -> Matcher:
    return Matcher([(_PRINTABLE, hs.HS_FLAG_SINGLEMATCH | hs.HS_FLAG_DOTALL)])


def prepare() -> None:
    """As :func:`bot_bottle.dlp.views.triggers.prepare`."""
    _long_run()
    _shape(BASE64)


def has_text(data: bytes) -> bool:
    """Some ASCII or UTF-16 stands in *data*: a wrong alignment gives none."""
    return bool(_printable().first(data))


def shaped(text: bytes, seen: Container[Sign]) -> Iterator[tuple[Alphabet, int]]:
    """Each run that has a shape: its alphabet and where a group ends; once for a run.

    ``seen``: what the first pass saw, long runs of the rarer alphabets among it.
    """
    if Sign.LONG_HEX in seen:
        yield from _in_window(HEX, text, 0, len(text))
    if Sign.LONG_BASE32 in seen:
        yield from _in_window(BASE32, text, 0, len(text))
    at, size, view = 0, len(text), memoryview(text)
    width = WINDOW_BYTES
    while at < size:
        run = _long_run().first(view[at:])
        if not run:
            return
        begin = at + run[0][1] - MIN_RUN
        width = min(2 * width, MAX_WINDOW_BYTES) if at and begin - at < WINDOW_BYTES // 4 else WINDOW_BYTES
        window = min(size, begin + width)
        at = window if window == size else window - _LOOKBACK
        for alphabet, place in _in_window(BASE64, text, begin, window):
            yield alphabet, place
            at = max(at, read_run(alphabet, text, place)[1])


def _in_window(alphabet: Alphabet, text: bytes, begin: int, end: int) -> Iterator[tuple[Alphabet, int]]:
    view = memoryview(text)
    while begin < end:
        hit = _shape(alphabet).first(view[begin:end])
        if not hit:
            return
        place = begin + hit[0][1]
        yield alphabet, place
        begin = max(place, read_run(alphabet, text, place)[1])
