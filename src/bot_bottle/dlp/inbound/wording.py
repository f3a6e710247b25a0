"""The table of wordings, compiled: which rows a reading holds.

The triggers (:mod:`bot_bottle.dlp.inbound.triggers`) say in one pass which rows may be there, RE2 confirms these.
A reading is a few KiB of text, folded by :mod:`bot_bottle.dlp.inbound.fold`.
"""

from __future__ import annotations

from functools import cache

import re2

from bot_bottle.dlp.inbound.fold import fold, words
from bot_bottle.dlp.inbound.row import Form
from bot_bottle.dlp.inbound.table import ROWS
from bot_bottle.dlp.inbound.triggers import triggered

_SQUEEZED = (
    "(?:ignore|disregard|forget|override|bypass)(?:all|any|the|your|of|my|these|those)*(?:previous|"
    "prior|above|earlier|preceding|foregoing|original|initial|system)(?:system|given)?(?:instructions?|"
    "prompts?|directives?|guidelines|orders|rules)|"
    "(?:donot|dont|never)(?:tell|inform|notify|mention(?:this|it|that)?to)(?:the)?(?:user|human)|"
    "(?:reveal|print|show)(?:me)?yoursystemprompt"
)
"""for texts whose spaces were lost"""


@cache
def _pattern(number: int) -> re2._Regexp[str]:
    row = ROWS[number]
    if row.form is Form.MARKS:
        return re2.compile(f"(?s){row.pattern}")
    return re2.compile(f" (?:{fold(row.pattern)}) " if row.whole else fold(row.pattern))


@cache
def _squeezed() -> re2._Regexp[str]:
    return re2.compile(_SQUEEZED)


def prepare() -> None:
    """Compile all rows now (some hundredths of a second)."""
    _squeezed()
    for number in range(len(ROWS)):
        _pattern(number)


def rows_in(text: str) -> set[int]:
    """Numbers (in :data:`ROWS`) of the rows that *text*, already folded, holds in its form."""
    return confirmed(triggered(text.encode("utf-8", "replace")), text)


def confirmed(near: set[int], text: str) -> set[int]:
    """Those of the rows *near* that *text*, already folded, does hold."""
    if not near:
        return set()
    spoken = words(text)
    return {
        number
        for number in near
        if _pattern(number).search(spoken if ROWS[number].form is Form.WORDS else text)
    }


def squeezed_in(text: str) -> set[int]:
    """The same for a text without spaces: only the best known wordings."""
    return {_NUMBERS["override-earlier-instructions"]} if _squeezed().search(text) else set()


_NUMBERS = {row.name: number for number, row in enumerate(ROWS)}
