"""Where a text may be encoded: a few native passes, cheap enough for every byte that leaves.

The first (:func:`signs`) sees escapes, marks of packed data, and hex with separators: literals and short classes.
The second (:mod:`bot_bottle.dlp.views.shapes`) looks for the shape that ASCII text has in base64, which is a slow
automaton, and only where a long run of such characters is. The databases hold nothing secret; they are made once,
on first use.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cache
from html.entities import html5
from typing import cast

import hyperscan as hs

from bot_bottle.dlp.databases import compiled
from bot_bottle.dlp.lookalikes import folded
from bot_bottle.dlp.views.alphabets import WIDE_SHAPE
from bot_bottle.dlp.views.plain import MIRRORED

_ONCE = hs.HS_FLAG_SINGLEMATCH
_ALL = hs.HS_FLAG_DOTALL
Place = tuple[int, int]
"""number of the pattern and end of its match"""


class Matcher:
    """One database. May be used by several threads, and after a fork."""

    def __init__(self, patterns: Sequence[tuple[bytes, int]]) -> None:
        self._database = compiled(
            [(pattern, number, flags) for number, (pattern, flags) in enumerate(patterns)]
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
    BASE64_START = 24


_HEX_CHAR = rb"[2-7][0-9a-fA-F]"
_TOKEN = rb"[A-Za-z0-9+/=_.~:@%&;#\\-]"


_MARKS = "+/=_.~:@%-"


def _named_entities() -> list[bytes]:
    """Names of entities that stand for what tokens are made of, in whatever type face, or for what is not seen.

    Not those of accented letters, of which texts in many languages are full, and of other alphabets.
    """
    return sorted(
        name[:-1].encode("ascii")
        for name, chars in html5.items()
        if name.endswith(";") and all(_in_tokens(char) for char in chars)
    )


def _in_tokens(char: str) -> bool:
    return char in _MARKS or folded(char) == "" or unicodedata.decomposition(char).startswith("<font>")


_HEXES = rb"[0-9a-fA-F]"
_UNSEEN = (
    rb"(?:00[01]H|0085|00[aA][0dD]|0[2-4]HH|20(?:[06]H|2[a-eA-E])|24[b-eB-E]H|[fF][eEfF]HH|[dD][89a-fA-F]HH)"
).replace(b"H", _HEXES)
"""Code units, behind ``\\u``, of controls, of what is not seen, of combining marks, look-alikes, other type faces"""
_ODD = rb"(?:0[5-9a-fA-F]HH|1HHH|2(?:0[02-9a-fA-F]H|[1-9a-fA-F]HH)|[3-9a-fA-F]HHH)".replace(b"H", _HEXES)
"""What hardly stands between two letters of ASCII: all but accented letters, quotes and dashes"""
_WITHIN: tuple[tuple[bytes, int], ...] = (
    (rb"[A-Za-z0-9]%[0-9A-Fa-f]{2}[%+A-Za-z0-9]", 0),
    (rb"[A-Za-z0-9]\\u" + _UNSEEN, 0),
    (rb"\\u" + _UNSEEN + rb"[A-Za-z0-9]", 0),
    (rb"[A-Za-z0-9]\\u" + _ODD + rb"[A-Za-z0-9]", 0),
    (rb"[A-Za-z0-9]\\x[01][0-9a-fA-F][A-Za-z0-9\\]", 0),
)
"""Any escape that stands within a word may separate the parts of a secret, or hide in it"""

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
    *((b"&" + name + b";", 0) for name in _named_entities()),
    *_WITHIN,
)
"""escapes of characters that tokens are made of, and any within a word; those between words hide nothing"""

QUOTED: tuple[tuple[bytes, int], ...] = (
    (rb"=(?:5F|2[BDEF]|3D)", 0),
    (rb"=[2-7][0-9A-F]=[2-7][0-9A-F]", 0),
    (rb"[A-Za-z0-9_/+.-]{4}=(?:\r?\n|(?:\\r)?\\n)[A-Za-z0-9_/+.=-]{4}", 0),
)
"""quoted-printable of token characters, and soft line breaks within a word, those in JSON strings too"""
UTF7: tuple[tuple[bytes, int], ...] = ((rb"(?:\+A[A-H][A-Za-z0-9+/]-?){4}", 0),)
SEPARATED: tuple[tuple[bytes, int], ...] = (
    (rb"(?:0x" + _HEX_CHAR + rb", ?){6}", 0),
    (rb"(?:[:,-]" + _HEX_CHAR + rb"){6}", 0),
    (rb"(?: " + _HEX_CHAR + rb"){6}", 0),
    (rb"(?: " + _HEX_CHAR + _HEX_CHAR + rb"){4}", 0),
)
"""hex digits of ASCII characters with something between them"""
_PLACES: dict[Sign, tuple[tuple[bytes, int], ...]] = {
    Sign.ESCAPE: ESCAPES,
    Sign.QUOTED: QUOTED,
    Sign.UTF7: UTF7,
    Sign.HEX: SEPARATED,
}
"""the kinds of which a second look finds the places"""

_FIRST: tuple[tuple[Sign, bytes, int, int], ...] = (
    *((Sign.ESCAPE, pattern, _ONCE, 0) for pattern, _ in ESCAPES),
    *((Sign.QUOTED, pattern, _ONCE, 0) for pattern, _ in QUOTED),
    *((Sign.HEX, pattern, _ONCE, 0) for pattern, _ in SEPARATED),
    *((Sign.UTF7, pattern, _ONCE, 0) for pattern, _ in UTF7),
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
    (Sign.BASE64, rb"[BRhx][+-]LCA", 0, 2),
    (Sign.BASE64, rb"fiwgA", 0, 4),
    (Sign.BASE64, rb"KLUv[/_]", 0, 5),
    (Sign.BASE64, rb"UEsDB", 0, 5),
    (Sign.BASE64, rb"BLAw[Q-T]", 0, 3),
    (Sign.BASE64, rb"QSwME", 0, 4),
    (Sign.BASE64, rb"QlpoO", 0, 5),
    (Sign.BASE64, rb"[/_]Td6WFo", 0, 7),
    # three characters are no mark by themselves: only where a run begins
    (
        Sign.BASE64_START,
        rb"(?:eJ[w-z]|eN[o-r]|eA[E-H]|eF[4-7])[A-Za-z0-9+/_-]{12}",
        0,
        15,
    ),
    (Sign.HEX_RUN, rb"1[fF]8[bB]08[01]", 0, 7),
    (Sign.HEX_RUN, rb"28[bB]52[fF]{2}[dD]", 0, 8),
    (Sign.HEX_RUN, rb"504[bB]0304", 0, 8),
    (Sign.HEX_RUN, rb"78(?:01|5[eE]|9[cC]|[dD][aA])[0-9a-fA-F]{28}", 0, 32),
    (Sign.BASE64, WIDE_SHAPE, 0, 0),
    (Sign.BASE64, rb"QUtJQ[Q-X]", 0, 6),
    (Sign.BASE64, rb"QVNJQ[Q-X]", 0, 6),
)


_WIDE = (
    (rb"(?:[\x20-\x7e]\x00){7}[\x20-\x7e]", _ONCE | _ALL),
    (rb"(?:[\x20-\x7e]\x00\x00\x00){5}[\x20-\x7e]", _ONCE | _ALL),
)
"""ASCII in UTF-16 and UTF-32, either byte order; apart from the rest, since each zero byte costs it something"""
_ZEROS = bytes(16)
FEW = 256
"""matches in one text, up to which one pass gives all places"""
ROWS = tuple((pattern, flags & ~_ONCE) for _, pattern, flags, _ in _FIRST)
"""the first pass, for whoever looks for something else with it"""


@cache
def _first() -> Matcher:
    return Matcher(ROWS)


@cache
def _once() -> Matcher:
    return Matcher([(pattern, flags) for _, pattern, flags, _ in _FIRST])


@cache
def _wide() -> Matcher:
    return Matcher(_WIDE)


@cache
def _second(sign: Sign) -> Matcher:
    return Matcher(_PLACES[sign])


class Signs:
    """What the first pass saw in one text."""

    __slots__ = ("_ends", "_text", "mirrored", "packed", "runs", "seen")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._ends: dict[Sign, list[int]] | None = {}
        self.seen: set[Sign] = set()
        """signs of which :meth:`places` tells more"""
        self.packed: list[tuple[Sign, int]] = []
        """marks of packed data, with where they begin"""
        self.mirrored: list[int] = []
        """ends of what is a token's beginning, rotated or reversed"""
        self.runs: list[tuple[str, int]] = []
        """marks in base64 or hex: which, and where a group of characters begins that holds the mark"""

    def note(self, number: int, end: int) -> None:
        """One match of the first pass."""
        sign, _, _, back = _FIRST[number]
        if sign is Sign.BASE64 or sign is Sign.HEX_RUN:
            self.runs.append(("base64" if sign is Sign.BASE64 else "hex", end - back))
        elif sign is Sign.BASE64_START:
            if _begins(self._text, end - back):
                self.runs.append(("base64", end - back))
        elif sign is Sign.MIRROR:
            self.mirrored.append(end)
        elif back:
            self.packed.append((sign, end - back))
        else:
            self.seen.add(sign)
            if self._ends is not None:
                self._ends.setdefault(sign, []).append(end)

    def forget_places(self) -> None:
        """There are too many: they are looked for again, kind by kind, as far as they are wanted."""
        self._ends = None

    def places(self, sign: Sign, begin: int, most: int) -> list[int]:
        """The ends of the first *most* places of a kind, behind *begin*."""
        if self._ends is not None:
            return [end for end in self._ends.get(sign, ()) if end > begin][:most]
        return [begin + end for _, end in _second(sign).first(memoryview(self._text)[begin:], most)]


def _begins(text: bytes, at: int) -> bool:
    """No letter or digit stands before *at*, or only that of an escape: ``/`` and ``-`` may be a path's or a name's."""
    before = text[max(0, at - 2) : at]
    if before in (rb"\n", rb"\r", rb"\t"):
        return True
    return not before[-1:].isalnum()


def signs(text: bytes) -> Signs:
    """The first pass over *text*."""
    return read(text, _first().first(text, FEW))


def read(text: bytes, matches: list[Place]) -> Signs:
    """The same, of *matches* of :data:`ROWS`, by their ends: all in *text*, or :data:`FEW`, if there are more."""
    found = Signs(text)
    if len(matches) >= FEW:
        found.forget_places()
        matches = _once().every(text)
    for number, end in matches:
        found.note(number, end)
    if b"\0" in text and _wide().first(text.replace(_ZEROS, b"\xff")):
        found.seen.add(Sign.WIDE)
    return found


def prepare() -> None:
    """Make the database that each text needs: in the process that forks, so that its children share them."""
    _first()
    _once()
