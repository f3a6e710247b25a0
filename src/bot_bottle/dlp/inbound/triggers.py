"""Cheap signs in the bytes as they come: one pass of Hyperscan, the same ends however the bytes are cut.

Two kinds: a row's own trigger, and *evidence* that a text is disguised (encoded, spelt with other letters, cut up),
after which no row's trigger can be counted on. Either only says where a closer look is due.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import hyperscan

from bot_bottle.dlp.databases import compiled
from bot_bottle.dlp.inbound.disguise import CASED, EVIDENCE, UNUSUAL
from bot_bottle.dlp.inbound.fold import fold
from bot_bottle.dlp.inbound.table import ROWS

_FIRST_EVIDENCE = 1000
"""numbers below are rows'"""
WIDEST = 512
"""No pattern spans more bytes, and none looks at what comes after it (a test holds both)"""

_OPERATORS = re.compile(rb"\{[0-9,]+\}|\\.")

_NAMES = {_FIRST_EVIDENCE + number: name for number, name in enumerate(EVIDENCE)}


def _spaced(trigger: str) -> str:
    """*trigger* with room for markup, escapes and line ends wherever it has a space outside of a class."""
    parts = re.split(r"(\\.|\[(?:\\.|[^\]\\])+\])", trigger)
    return "".join(part if at % 2 else re.sub(" (?![?*+{])", ".{1,4}", part) for at, part in enumerate(parts))


def expressions() -> list[tuple[int, bytes, int]]:
    """(number, pattern, flags) of everything that is looked for."""
    flags = hyperscan.HS_FLAG_DOTALL
    out = [
        (number, trigger.encode(), flags | hyperscan.HS_FLAG_CASELESS)
        for number, row in enumerate(ROWS)
        for written in map(_spaced, row.trigger.split("\n"))
        for trigger in dict.fromkeys((written, written if written.isascii() else fold(written)))
    ]
    for number, name in _NAMES.items():
        cased = name in CASED
        out.append((number, EVIDENCE[name].encode(), flags if cased else flags | hyperscan.HS_FLAG_CASELESS))
    return out


def _needs_more_than_ascii(number: int, pattern: bytes) -> bool:
    """Whether nothing but a text with other bytes than ASCII can match: the name says so, or no letter is in it."""
    if number >= _FIRST_EVIDENCE:
        return _NAMES[number] in UNUSUAL
    return not pattern.isascii() and re.search(rb"[a-zA-Z0-9]", _OPERATORS.sub(b"", pattern)) is None


@cache
def databases() -> tuple[hyperscan.Database, hyperscan.Database]:
    """(for any text, for what only texts with other bytes than ASCII can hold).

    Once a process; some two seconds where they are not kept, so best in the process that others are forked from.
    """
    rows = expressions()
    unusual = [row for row in rows if _needs_more_than_ascii(row[0], row[1])]
    usual = [row for row in rows if row not in unusual]
    return (
        compiled([(pattern, number, flags) for number, pattern, flags in usual]),
        compiled([(pattern, number, flags) for number, pattern, flags in unusual]),
    )


def is_evidence(number: int) -> bool:
    return number >= _FIRST_EVIDENCE


def evidence_name(number: int) -> str:
    return _NAMES[number]


class Sign(NamedTuple):
    """``end``: offset behind the sign's last byte, in the text that was scanned."""

    number: int
    end: int


def signs(text: bytes) -> list[Sign]:
    """All signs in *text*, every end of each, in order. An end depends on the :data:`WIDEST` bytes before it only."""
    found: list[Sign] = []

    def on_match(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        found.append(Sign(number, end))

    usual, unusual = databases()
    usual.scan(text, match_event_handler=on_match)
    if not text.isascii():
        unusual.scan(text, match_event_handler=on_match)
        found.sort(key=lambda sign: sign.end)
    return found


def triggered(text: bytes) -> set[int]:
    """Numbers of the rows whose trigger is somewhere in *text*."""
    return {sign.number for sign in signs(text) if sign.number < _FIRST_EVIDENCE}
