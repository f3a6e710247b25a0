"""Where a text may be encoded: a few native passes, cheap enough for every byte that leaves.

The first (:func:`signs`) sees escapes, marks of packed data, and hex with separators: literals and short classes.
The second (:mod:`bot_bottle.dlp.views.shapes`) looks for the shape that ASCII text has in base64, which is a slow
automaton, and only where a long run of such characters is. The databases hold nothing secret; they are made once,
on first use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cache
from html.entities import html5
from typing import cast

import hyperscan as hs

from bot_bottle.dlp.lookalikes import folded
from bot_bottle.dlp.views.plain import MIRRORED

_ONCE = hs.HS_FLAG_SINGLEMATCH
_ALL = hs.HS_FLAG_DOTALL
Place = tuple[int, int]
"""number of the pattern and end of its match"""


class Matcher:
    """One database. May be used by several threads, and after a fork."""

    def __init__(self, patterns: Sequence[tuple[bytes, int]]) -> None:
        self._database = hs.Database(mode=hs.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[pattern for pattern, _ in patterns],
            ids=list(range(len(patterns))),
            elements=len(patterns),
            flags=[flags for _, flags in patterns],
        )
        self._threads = threading.local()

    def every(self, text: bytes | memoryview) -> list[Place]:
        """All matches, by their ends."""
        found: list[Place] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            found.append((number, end))
            return False

        self._scan(text, note)
        return found

    def first(self, text: bytes | memoryview, most: int = 1) -> list[Place]:
        """The first *most* matches."""
        found: list[Place] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            found.append((number, end))
            return len(found) >= most

        try:
            self._scan(text, note)
        except hs.ScanTerminated:
            pass
        return found

    def _scan(self, text: bytes | memoryview, note: Callable[[int, int, int, int, object], bool]) -> None:
        scratch = getattr(self._threads, "scratch", None)
        if scratch is None:
            scratch = self._threads.scratch = hs.Scratch(self._database)
        # a memoryview saves a copy; the library takes any buffer, its annotations say otherwise
        self._database.scan(cast(bytes, text), match_event_handler=note, scratch=scratch)


class Sign(IntEnum):
    """What a pattern of the first pass stands for."""

    ESCAPE = 0
    QUOTED = 1
    HEX = 2
    WIDE = 3
    UTF7 = 4
    ASCII85 = 5
    MIRROR = 6
    GZIP = 10
    ZLIB = 11
    ZSTD = 12
    ZIP = 13
    BZIP2 = 14
    XZ = 15
    BASE64 = 20
    HEX_RUN = 21


_HEX_CHAR = rb"[2-7][0-9a-fA-F]"
_TOKEN = rb"[A-Za-z0-9+/=_.~:@%&;#\\-]"


_MARKS = "+/=_.~:@%-"


def _named_entities() -> bytes:
    """Names of entities that stand for what a token is made of, or normalise to it, other than the usual five."""
    names = sorted(
        name[:-1]
        for name, chars in html5.items()
        if name.endswith(";") and all(folded(char) is not None or char in _MARKS for char in chars)
    )
    return "|".join(names).encode("ascii")


ESCAPES: tuple[tuple[bytes, int], ...] = (
    (rb"%(?:2[5BDEFbdef]|3[0-9AaDd]|[46][0-9A-Fa-f]|[57][0-9AaEeFf])", 0),
    (rb"%u00[2-7][0-9A-Fa-f]", 0),
    (rb"\\u00[2-7][0-9A-Fa-f]", 0),
    (rb"\\u(?:\{0{0,4}|000000)[2-7][0-9A-Fa-f]", 0),
    (rb"\\U000000[2-7][0-9A-Fa-f]", 0),
    (rb"\\x[2-7][0-9A-Fa-f]", 0),
    (rb"\\/" + _TOKEN + rb"{12}", 0),
    (_TOKEN + rb"{12}\\/", 0),
    (rb"&#[xX0-9]", 0),
    (rb"&amp;[#a-zA-Z]", 0),
    (rb"&(?:" + _named_entities() + rb");", 0),
)
"""escapes of characters that tokens are made of; those of spaces, quotes and line ends hide nothing"""

_FIRST: tuple[tuple[Sign, bytes, int, int], ...] = (
    *((Sign.ESCAPE, pattern, _ONCE, 0) for pattern, _ in ESCAPES),
    (Sign.QUOTED, rb"=(?:5F|2[BDEF]|3D)|=[2-7][0-9A-F]=[2-7][0-9A-F]|=\r?\n|=(?:\\r)?\\n", _ONCE, 0),
    (Sign.HEX, rb"(?:0x" + _HEX_CHAR + rb", ?){6}", _ONCE, 0),
    (Sign.HEX, rb"(?:[:,-]" + _HEX_CHAR + rb"){6}", _ONCE, 0),
    (Sign.HEX, rb"(?: " + _HEX_CHAR + rb"){6}", _ONCE, 0),
    (Sign.HEX, rb"(?: " + _HEX_CHAR + _HEX_CHAR + rb"){4}", _ONCE, 0),
    (Sign.WIDE, rb"(?:[\x20-\x7e]\x00){8}", _ONCE | _ALL, 0),
    (Sign.WIDE, rb"(?:\x00[\x20-\x7e]){8}", _ONCE | _ALL, 0),
    (Sign.WIDE, rb"(?:[\x20-\x7e]\x00\x00\x00){6}", _ONCE | _ALL, 0),
    (Sign.UTF7, rb"(?:\+A[A-H][A-Za-z0-9+/]-?){4}", _ONCE, 0),
    (Sign.ASCII85, rb"<~[!-u\s]{8}", _ONCE, 0),
    *((Sign.MIRROR, pattern, 0, 0) for pattern in MIRRORED),
    (Sign.GZIP, rb"\x1f\x8b\x08[\x00-\x1f]", _ALL, 4),
    (Sign.ZLIB, rb"\x78[\x01\x5e\x9c\xda]", _ALL, 2),
    (Sign.ZSTD, rb"\x28\xb5\x2f\xfd", _ALL, 4),
    (Sign.ZIP, rb"PK\x03\x04", _ALL, 4),
    (Sign.BZIP2, rb"BZh[1-9]1AY&SY", _ALL, 10),
    (Sign.XZ, rb"\xfd7zXZ\x00", _ALL, 6),
    # what these marks are in base64; the last number: from the end of the match back to where a group begins
    (Sign.BASE64, rb"H4sI", 0, 4),
    (Sign.BASE64, rb"[BRhx][+-]LCA", 0, 6),
    (Sign.BASE64, rb"fiwgA", 0, 4),
    (Sign.BASE64, rb"KLUv[/_]", 0, 5),
    (Sign.BASE64, rb"UEsDB", 0, 5),
    (Sign.BASE64, rb"BLAw[Q-T]", 0, 3),
    (Sign.BASE64, rb"QSwME", 0, 4),
    (Sign.BASE64, rb"QlpoO", 0, 5),
    (Sign.BASE64, rb"[/_]Td6WFo", 0, 7),
    (Sign.BASE64, rb"(?:eJ[w-z]|eN[o-r]|eA[E-H]|eF[4-7])[A-Za-z0-9+/_-]{12}", 0, 15),
    (Sign.HEX_RUN, rb"1[fF]8[bB]08[01]", 0, 7),
    (Sign.HEX_RUN, rb"28[bB]52[fF]{2}[dD]", 0, 8),
    (Sign.HEX_RUN, rb"504[bB]0304", 0, 8),
    (Sign.HEX_RUN, rb"78(?:01|5[eE]|9[cC]|[dD][aA])[0-9a-fA-F]{28}", 0, 32),
    (Sign.BASE64, rb"QUtJQ[Q-X]", 0, 6),
    (Sign.BASE64, rb"QVNJQ[Q-X]", 0, 6),
)


@cache
def _first() -> Matcher:
    return Matcher([(pattern, flags) for _, pattern, flags, _ in _FIRST])


@cache
def _escapes() -> Matcher:
    return Matcher([(pattern, flags) for pattern, flags in ESCAPES])


class Signs:
    """What the first pass saw in one text."""

    __slots__ = ("mirrored", "packed", "runs", "seen")

    def __init__(self) -> None:
        self.seen: set[Sign] = set()
        """signs of the kinds for which a second look finds the places"""
        self.packed: list[tuple[Sign, int]] = []
        """marks of packed data, with where they begin"""
        self.mirrored: list[int] = []
        """ends of what is a token's beginning, rotated or reversed"""
        self.runs: list[tuple[str, int]] = []
        """marks in base64 or hex: which, and where a group of characters begins that holds the mark"""


def signs(text: bytes) -> Signs:
    """The first pass over *text*."""
    found = Signs()
    for number, end in _first().every(text):
        sign, _, _, back = _FIRST[number]
        if sign is Sign.BASE64 or sign is Sign.HEX_RUN:
            found.runs.append(("base64" if sign is Sign.BASE64 else "hex", end - back))
        elif sign is Sign.MIRROR:
            found.mirrored.append(end)
        elif back:
            found.packed.append((sign, end - back))
        else:
            found.seen.add(sign)
    return found


def escape_places(text: bytes, most: int) -> list[int]:
    """The ends of the first *most* escapes of token characters."""
    return [end for _, end in _escapes().first(text, most)]
