"""What a bottle prints, made safe for the operator's terminal (ruling 46). Sans-I/O.

A terminal obeys what it is shown: it can be made to fill the clipboard (OSC 52), receive files
(OSC 1337, 5522), type answers back (device reports, DECRQSS, title reports) or hide what happened. So an
allowlist: printable text, the C0 controls that move, SGR, cursor, screen, mouse and mode sequences pass;
every control string (OSC, DCS, APC, PM, SOS), every query and everything unknown is dropped. A hyperlink
(OSC 8) becomes its text. Grammar: ECMA-48 5.4 and 8.3, xterm's control sequences
(https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).

Stricter than most: concealed text (SGR 8), wiping the scrollback (ED 3), tab stops (they can't be put
back), saving and restoring modes (XTSAVE: what was restored could not be undone) are dropped as well.
A query is never shown; it comes out as a :class:`Query`, which the relay may answer (``launch.answers``).

State table of :class:`OutputFilter`::

    GROUND  --ESC--> ESCAPE   --[--> CSI      --final byte--> GROUND (passed if allowed)
                              --] P X ^ _--> STRING --ST, CAN, SUB--> GROUND (dropped; BEL ends OSC)
                              --( ) * + SP # %--> INTERMEDIATE --final--> GROUND
                              --final byte--> GROUND (passed if allowed)
    any of them --ESC--> ESCAPE, --CAN, SUB--> GROUND, as terminals do
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

MAX_SEQUENCE_CHARS = 256
"""A CSI sequence that is longer is dropped: the longest real ones (SGR with true colours) have under 100."""

MAX_OSC_CHARS = 64
"""Kept of an OSC: enough to know the queries by, and the report of a state."""

MAX_DIGITS = 5
"""Of one parameter: a billion repetitions of a character keep a terminal busy for minutes."""

_SET_BY_DEFAULT = frozenset({7, 25})
"""Private modes that are on in a fresh terminal: wrapping and the cursor's visibility."""

_RESTORED_BY_CURSOR = (6, 7)
"""Private modes that restoring the cursor (DECRC) brings back: never known, so always undone."""

_PASSED_C0 = frozenset("\b\t\n\v\f\r\a\x0e\x0f")
_ESCAPE_FINALS = frozenset("78=>MDE")
_PLAIN_CSI_FINALS = frozenset("@ABCDEFGHJKLMPSTXZ`abdefmrsu")
_MODES = frozenset({4, 20})
ALTERNATE_SCREEN = frozenset({47, 1047, 1049})
_PRIVATE_MODES = (
    frozenset({1, 5, 6, 7, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1048})
    | {2004, 2026}
    | ALTERNATE_SCREEN
)
_PARAMETERS = re.compile(r"[0-9;:]*\Z")
_LONG_NUMBER = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
_WHOLE_CSI = re.compile(r"\x1b\[([\x20-\x3f]{0,%d})([\x40-\x7e])" % MAX_SEQUENCE_CHARS)  # noqa: UP031
_PLAIN_RUN = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_COLOR_QUERY = re.compile(r"(?:(1[01])|4;([0-9]{1,3}));\?\Z")
_STATE_REPORT = re.compile(r"7501;state=([a-z]{1,16})(?::|\Z)")
_MODE_QUERY = re.compile(r"(\??)([0-9]{1,5})\$\Z")
_FIXED_QUERIES = {
    ("", "c"): "attributes", ("0", "c"): "attributes", (">", "c"): "version-number",
    (">0", "c"): "version-number", ("5", "n"): "status", ("6", "n"): "cursor", ("?6", "n"): "cursor-private",
    (">", "q"): "version", (">0", "q"): "version", ("18", "t"): "size",
}  # fmt: skip


class _State(Enum):
    GROUND = auto()
    ESCAPE = auto()
    INTERMEDIATE = auto()
    CSI = auto()
    STRING = auto()
    OSC = auto()


@dataclass(frozen=True)
class Query:
    """Something that the program asked its terminal. ``kind``: attributes, version-number, version, status,
    cursor, cursor-private, size, mode, mode-private, color (10, 11: foreground, background), palette. Or what
    it said of itself (``state``, with the word), which wants no answer."""

    kind: str
    number: int = 0
    word: str = ""


class OutputFilter:
    """Feed it what the bottle wrote, show what it returns. One instance for one stream."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = _State.GROUND
        self._held = ""
        self._osc: str | None = None
        self._touched = False
        self._margins = False
        self._modes: dict[tuple[str, int], bool] = {}
        self._asked: list[Query] = []

    def feed(self, data: bytes) -> bytes:
        """Return what of *data*, and of what was held back before, may be shown."""
        return "".join(piece for piece in self.pieces(data) if isinstance(piece, str)).encode()

    def pieces(self, data: bytes) -> Iterator[str | Query]:
        """The same in order and in pieces: runs of text, single controls, whole sequences, and queries. The
        state is that of the moment; all of them must be taken."""
        text = self._decoder.decode(data)
        position = 0
        while position < len(text):
            if self._state is _State.GROUND:
                run = _PLAIN_RUN.match(text, position)
                if run:
                    yield run.group()
                    position = run.end()
                    continue
                whole = _WHOLE_CSI.match(text, position)
                if whole:  # what the state table does with it, at once: nine of ten are such
                    shown = self._csi_end(whole[1], whole[2])
                    if shown:
                        yield shown
                    elif self._asked:
                        yield self._asked.pop()
                    position = whole.end()
                    continue
            shown = self._step(text[position])
            if shown:
                yield shown
            elif self._asked:
                yield self._asked.pop()
            position += 1

    def mode(self, mark: str, number: int) -> bool | None:
        """Whether a mode (*mark* ``?``: a private one) is on; None: not one that passes."""
        if number not in (_PRIVATE_MODES if mark else _MODES):
            return None
        return self._modes.get((mark, number), bool(mark) and number in _SET_BY_DEFAULT)

    def known_modes(self) -> list[tuple[str, int, bool]]:
        """Mark, number and state of every mode that was ever set or reset."""
        return [(mark, number, on) for (mark, number), on in self._modes.items()]

    def changed_modes(self) -> list[tuple[str, int, bool]]:
        """Those of them that are not as in a fresh terminal."""
        return [
            (mark, number, on)
            for mark, number, on in self.known_modes()
            if on != (mark == "?" and number in _SET_BY_DEFAULT)
        ]

    def restore(self) -> bytes:
        """What undoes the colours, character sets, margins and modes that were let out, and nothing else:
        what comes after a bottle's end is seen as it is meant."""
        if not self._touched:
            return b""
        parts = ["\x1b[0m\x1b(B\x1b)B\x0f\x1b>"]
        if self._margins:
            parts.append("\x1b7\x1b[r\x1b8")
        for mark, number, on in self.changed_modes():
            parts.append(f"\x1b[{mark}{number}{'l' if on else 'h'}")
        for number in _RESTORED_BY_CURSOR:
            if ("?", number) in self._modes:
                parts.append(f"\x1b[?{number}{'h' if number in _SET_BY_DEFAULT else 'l'}")
        return "".join(parts).encode()

    def _step(self, char: str) -> str:
        if char == "\x1b":
            self._osc = self._held if self._state is _State.OSC else None
            self._state, self._held = _State.ESCAPE, ""
            return ""
        self._touched = self._touched or char == "\x0e"
        if "\x80" <= char <= "\x9f":  # C1 controls are ESC and a letter (ECMA-48 5.3)
            self._osc = self._held if self._state is _State.OSC else None
            self._held = ""
            return self._escape(chr(ord(char) - 0x40))
        if char in "\x18\x1a":  # CAN and SUB abort whatever was begun
            self._state = _State.GROUND
            return ""
        match self._state:
            case _State.GROUND:
                return char if char in _PASSED_C0 else ""
            case _State.ESCAPE:
                return self._escape(char)
            case _State.INTERMEDIATE:
                return self._intermediate(char)
            case _State.CSI:
                return self._csi(char)
            case _State.OSC if char == "\a":
                self._state = _State.GROUND
                self._string_ended(self._held)
                return ""
            case _State.OSC if len(self._held) < MAX_OSC_CHARS:
                self._held += char
                return ""
            case _:
                return ""

    def _escape(self, char: str) -> str:
        self._state = _State.GROUND
        osc, self._osc = self._osc, None
        if char == "[":
            self._state = _State.CSI
        elif char == "]":
            self._state = _State.OSC
        elif char in "PX^_":
            self._state = _State.STRING
        elif "\x20" <= char <= "\x2f":
            self._state, self._held = _State.INTERMEDIATE, char
        elif char == "\\" and osc is not None:
            self._string_ended(osc)
        elif char in _ESCAPE_FINALS:
            self._touched = True
            return f"\x1b{char}"
        return ""

    def _intermediate(self, char: str) -> str:
        if "\x20" <= char <= "\x2f":
            self._held += char
            return ""
        self._state = _State.GROUND
        if self._held in ("(", ")") and char in "B0A":  # the character sets that line drawing uses
            self._touched = True
            return f"\x1b{self._held}{char}"
        return ""

    def _csi(self, char: str) -> str:
        if char < "\x20":
            return char if char in _PASSED_C0 else ""  # terminals act on C0 inside a sequence
        if not "\x40" <= char <= "\x7e":
            if char > "\x7e" or len(self._held) >= MAX_SEQUENCE_CHARS:
                self._held = "!"  # never allowed: dropped when its final byte comes
            else:
                self._held += char
            return ""
        self._state = _State.GROUND
        return self._csi_end(self._held, char)

    def _csi_end(self, body: str, char: str) -> str:
        """A whole sequence: what of it may be shown."""
        if not _csi_allowed(body, char):
            self._ask(body, char)
            return ""
        if char == "m":
            shown = _without_conceal(body)
            if shown is None:
                return ""
            body = shown
        self._touched = True
        self._margins = self._margins or char == "r"
        if char in "hl":
            mark = "?" if body.startswith("?") else ""
            for number in body.removeprefix("?").split(";"):
                self._modes[mark, int(number)] = char == "h"
        return f"\x1b[{body}{char}"

    def _ask(self, body: str, final: str) -> None:
        if kind := _FIXED_QUERIES.get((body, final)):
            self._asked = [Query(kind)]
        elif final == "p" and (found := _MODE_QUERY.match(body)):
            self._asked = [Query("mode-private" if found[1] else "mode", int(found[2]))]

    def _string_ended(self, body: str) -> None:
        if found := _COLOR_QUERY.match(body):
            self._asked = [Query("color", int(found[1])) if found[1] else Query("palette", int(found[2]))]
        elif found := _STATE_REPORT.match(body):
            self._asked = [Query("state", word=found[1])]


_PRINTED = re.compile(r"[\n\t]\Z|\x1b\[[0-9;:]*m\Z|[^\x00-\x1f]")


def as_text(data: bytes) -> bytes:
    """What a program wrote, as lines with their colours: for where it is no screen (its last words, later)."""
    screen = OutputFilter()
    pieces = (piece for piece in screen.pieces(data) if isinstance(piece, str) and _PRINTED.match(piece))
    return "".join(pieces).encode() + (b"\x1b[0m" if screen.restore() else b"")


@lru_cache(1024)
def _csi_allowed(body: str, final: str) -> bool:
    if _LONG_NUMBER.search(body):
        return False
    if final == "q":  # DECSCUSR, the cursor's shape: CSI Ps SP q
        return body.endswith(" ") and bool(_PARAMETERS.match(body[:-1]))
    private = body.startswith("?")
    parameters = body[1:] if private else body
    if not _PARAMETERS.match(parameters):
        return False
    if final in "hl":
        allowed = _PRIVATE_MODES if private else _MODES
        return all(number.isdigit() and int(number) in allowed for number in parameters.split(";"))
    if final == "J":
        return all(number in ("", "0", "1", "2") for number in parameters.split(";"))
    if private:
        return final == "K"
    return final in _PLAIN_CSI_FINALS


_CONCEAL = re.compile(r"0*8\Z")
_COLOR_ARGUMENTS = {"5": 1, "2": 3}
"""What follows 38, 48 and 58: an index, or three components; an 8 among them is a number."""


@lru_cache(1024)
def _without_conceal(body: str) -> str | None:
    """SGR parameters without 8; None: nothing is left of them (and no parameter at all would be a reset)."""
    if "8" not in body:
        return body
    kept: list[str] = []
    parameters = body.split(";")
    position = 0
    while position < len(parameters):
        parameter = parameters[position]
        taken = 1
        if parameter.lstrip("0") in ("38", "48", "58"):
            kind = "".join(parameters[position + 1 : position + 2]).lstrip("0")
            if kind not in _COLOR_ARGUMENTS:
                return None  # terminals differ in what they make of the rest
            taken = 2 + _COLOR_ARGUMENTS[kind]
        elif _CONCEAL.match(parameter.partition(":")[0]):
            position += 1
            continue
        kept += parameters[position : position + taken]
        position += taken
    return ";".join(kept) if kept else None
