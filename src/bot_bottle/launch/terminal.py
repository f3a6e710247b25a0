"""What a bottle prints, made safe for the operator's terminal (ruling 46). Sans-I/O.

A terminal obeys what it is shown: it can be made to fill the clipboard (OSC 52), receive files
(OSC 1337, 5522), type answers back (device reports, DECRQSS, title reports) or hide what happened. So an
allowlist: printable text, the C0 controls that move, SGR, cursor, screen, mouse and mode sequences pass;
every control string (OSC, DCS, APC, PM, SOS), every query and everything unknown is dropped. A hyperlink
(OSC 8) becomes its text. Grammar: ECMA-48 5.4 and 8.3, xterm's control sequences
(https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).

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
from enum import Enum, auto

MAX_SEQUENCE_CHARS = 256
"""A CSI sequence that is longer is dropped: the longest real ones (SGR with true colours) have under 100."""

_SET_BY_DEFAULT = frozenset({7, 25})
"""Private modes that are on in a fresh terminal: wrapping and the cursor's visibility."""

_PASSED_C0 = frozenset("\b\t\n\v\f\r\a\x0e\x0f")
_ESCAPE_FINALS = frozenset("78=>MDEH")
_PLAIN_CSI_FINALS = frozenset("@ABCDEFGHJKLMPSTXZ`abdefgmrsu")
_MODES = frozenset({4, 20})
_PRIVATE_MODES = frozenset(
    {1, 5, 6, 7, 12, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1047, 1048, 1049}
    | {2004, 2026}
)
_PARAMETERS = re.compile(r"[0-9;:]*\Z")
_PLAIN_RUN = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class _State(Enum):
    GROUND = auto()
    ESCAPE = auto()
    INTERMEDIATE = auto()
    CSI = auto()
    STRING = auto()
    OSC = auto()


class OutputFilter:
    """Feed it what the bottle wrote, show what it returns. One instance for one stream."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = _State.GROUND
        self._held = ""
        self._touched = False
        self._margins = False
        self._modes: dict[tuple[str, int], bool] = {}

    def feed(self, data: bytes) -> bytes:
        """Return what of *data*, and of what was held back before, may be shown."""
        return self._filter(self._decoder.decode(data)).encode()

    def restore(self) -> bytes:
        """What undoes the colours, character sets, margins and modes that were let out, and nothing else:
        what comes after a bottle's end is seen as it is meant."""
        if not self._touched:
            return b""
        parts = ["\x1b[0m\x1b(B\x0f\x1b>"]
        if self._margins:
            parts.append("\x1b7\x1b[r\x1b8")
        for (mark, number), on in self._modes.items():
            default = mark == "?" and number in _SET_BY_DEFAULT
            if on != default:
                parts.append(f"\x1b[{mark}{number}{'h' if default else 'l'}")
        return "".join(parts).encode()

    def _filter(self, text: str) -> str:
        out: list[str] = []
        position = 0
        while position < len(text):
            if self._state is _State.GROUND:
                run = _PLAIN_RUN.match(text, position)
                if run:
                    out.append(run.group())
                    position = run.end()
                    continue
            out.append(self._step(text[position]))
            position += 1
        return "".join(out)

    def _step(self, char: str) -> str:
        if char == "\x1b":
            self._state, self._held = _State.ESCAPE, ""
            return ""
        self._touched = self._touched or char == "\x0e"
        if "\x80" <= char <= "\x9f":  # C1 controls are ESC and a letter (ECMA-48 5.3)
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
                return ""
            case _:
                return ""

    def _escape(self, char: str) -> str:
        self._state = _State.GROUND
        if char == "[":
            self._state = _State.CSI
        elif char == "]":
            self._state = _State.OSC
        elif char in "PX^_":
            self._state = _State.STRING
        elif "\x20" <= char <= "\x2f":
            self._state, self._held = _State.INTERMEDIATE, char
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
        if not _csi_allowed(self._held, char):
            return ""
        self._touched = True
        self._margins = self._margins or char == "r"
        if char in "hl":
            mark = "?" if self._held.startswith("?") else ""
            for number in self._held.removeprefix("?").split(";"):
                self._modes[mark, int(number)] = char == "h"
        return f"\x1b[{self._held}{char}"


def _csi_allowed(body: str, final: str) -> bool:
    if final == "q":  # DECSCUSR, the cursor's shape: CSI Ps SP q
        return body.endswith(" ") and bool(_PARAMETERS.match(body[:-1]))
    private = body.startswith("?")
    parameters = body[1:] if private else body
    if not _PARAMETERS.match(parameters):
        return False
    if final in "hl":
        allowed = _PRIVATE_MODES if private else _MODES
        return all(number.isdigit() and int(number) in allowed for number in parameters.split(";"))
    if private:
        return final in "JKsr"
    return final in _PLAIN_CSI_FINALS
