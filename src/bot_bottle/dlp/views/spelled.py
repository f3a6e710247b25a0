"""Bytes spelled out in hex with something between them: colons, commas, spaces, ``0x``, line breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot_bottle.dlp.views.plain import Plain
from bot_bottle.dlp.views.spans import GroupMap, Units
from bot_bottle.dlp.views.triggers import Sign, Signs

_PAIR = rb"(?:(?:0[xX])?[0-9a-fA-F]{2}){1,2}"
_RUN = re.compile(_PAIR + rb"(?:(?:[ :,-]{1,3}|\r?\n|(?:\\r)?\\n) {0,8}%b){7,}+" % _PAIR)
"""one byte at a time, or two as hex dumps have them"""
_PAIRS = re.compile(rb"0[xX](?=[0-9a-fA-F]{2})|([0-9a-fA-F]{2})")
_CHARS = b"0123456789abcdefABCDEFxX :,-\r\n\\n"


def spelled(text: bytes, found: Signs) -> Iterator[Plain]:
    """The runs of hex pairs in *text*."""
    at = 0
    while places := found.places(Sign.HEX, at, 1):
        place = places[0]
        run = _RUN.search(text, _begin(text, at, place))
        if run is None:
            return
        if run.end() >= place - 2:
            yield _decoded(text, *run.span())
        at = max(run.end(), place)


def _begin(text: bytes, low: int, place: int) -> int:
    """Where the characters of a run begin that ends at *place* or behind it, not before *low*."""
    size = 256
    while True:
        start = max(low, place - size)
        rest = len(text[start:place].rstrip(_CHARS))
        if rest or start == low:
            return start + rest
        size *= 4


def _decoded(text: bytes, start: int, end: int) -> Plain:
    pairs = b"".join(_PAIRS.findall(text[start:end]))
    where = GroupMap(Units(text, start, end, _PAIRS), 0, 4).where
    return Plain("hex", bytes.fromhex(pairs.decode("ascii")), start, end, where)
