"""Where ASCII text lies in base64, base32 or hex, at whatever alignment: by shape.

The automaton that knows the shapes costs as much as all other passes together, so it sees only those parts of a
text in which a long run of base64 characters is, which a native test tells quickly.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import hyperscan as hs

from bot_bottle.dlp.views.alphabets import BASE32, BASE64, HEX, WIDE_SHAPE, Alphabet, read_run
from bot_bottle.dlp.views.triggers import Matcher

MIN_RUN = 32
"""characters: 24 bytes of base64; what is shorter (an AWS key id alone) has a mark of its own in ``triggers``"""
WINDOW_BYTES = 4096
"""of text that the automaton gets at once behind the beginning of a long run"""
_LOOKBACK = 64
"""no shape is longer than this, so windows that overlap so far miss none"""
SHAPES: tuple[tuple[Alphabet, bytes], ...] = (
    (BASE64, BASE64.shape),
    (BASE64, WIDE_SHAPE),
    (BASE32, BASE32.shape),
    (HEX, HEX.shape),
)
_PRINTABLE = rb"[\t\n\r\x20-\x7e]{16}|(?:[\x20-\x7e]\x00){8}"


@cache
def _long_run() -> Matcher:
    return Matcher([(rb"[A-Za-z0-9+/_-]{%d}" % MIN_RUN, hs.HS_FLAG_SINGLEMATCH)])


@cache
def _shapes() -> Matcher:
    return Matcher([(shape, hs.HS_FLAG_SINGLEMATCH) for _, shape in SHAPES])


@cache
def _printable() -> Matcher:
    return Matcher([(_PRINTABLE, hs.HS_FLAG_SINGLEMATCH | hs.HS_FLAG_DOTALL)])


def has_text(data: bytes) -> bool:
    """Some ASCII or UTF-16 stands in *data*: a wrong alignment gives none."""
    return bool(_printable().first(data))


def shaped(text: bytes) -> Iterator[tuple[Alphabet, int]]:
    """Each run that has a shape: its alphabet and where a group ends; once for an alphabet and a run."""
    at, size, view = 0, len(text), memoryview(text)
    while at < size:
        run = _long_run().first(view[at:])
        if not run:
            return
        begin = at + run[0][1] - MIN_RUN
        window = min(size, begin + WINDOW_BYTES)
        hit = _shapes().first(view[begin:window])
        if not hit:
            at = window if window == size else window - _LOOKBACK
            continue
        start, end = read_run(BASE64, text, begin + hit[0][1])
        seen = set()
        for number, offset in _shapes().every(view[start:end]):
            alphabet = SHAPES[number][0]
            if alphabet.kind not in seen:
                seen.add(alphabet.kind)
                yield alphabet, start + offset
        at = max(end, begin + hit[0][1])
