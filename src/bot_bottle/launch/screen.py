"""What a bottle's terminal shows, as far as the next terminal that is attached needs it. Sans-I/O.

Everything that has passed the filter is kept, at most :data:`KEPT_BYTES` for each of the main and the
alternate screen, from the last full clear on. A new terminal is given that again: what it then shows is what
the program believes to be there, so that the cursor's place can be answered, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot_bottle.launch.answers import Answers
from bot_bottle.launch.cursor import Cursor
from bot_bottle.launch.terminal import ALTERNATE_SCREEN, OutputFilter, Query
from bot_bottle.sandbox.contract import Terminal

KEPT_BYTES = 256 * 1024
"""Of each screen: some thousand lines of a colourful program; a packet's worth every 64 KiB."""

MERGED_BYTES = 4096
"""A piece grows up to here before the next begins: what brings a terminal to its beginning takes as much again,
and a program may write every byte on its own."""

MAX_COLORS_KEPT = 16
"""SGR sequences since the last reset: more than this, and only the newest count."""


@dataclass
class Shown:
    """What came of one piece of output."""

    shown: bytes
    answers: bytes
    """for the program's input"""


class _Kept:
    """The output of one screen in pieces, each with what brings a terminal to its beginning."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[str, bytes]] = deque()
        self._size = 0

    def add(self, state: str, data: bytes) -> None:
        if not data:
            return
        if self._pieces and len(self._pieces[-1][1]) + len(data) <= MERGED_BYTES:
            state, before = self._pieces.pop()
            self._size -= len(before)
            data = before + data
        self._pieces.append((state, data))
        self._size += len(data)
        while self._size > KEPT_BYTES and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft()[1])

    def restart(self) -> None:
        self._pieces.clear()
        self._size = 0

    def replay(self) -> bytes:
        return self._pieces[0][0].encode() + self.text() if self._pieces else b""

    def text(self) -> bytes:
        return b"".join(data for _, data in self._pieces)


class Screen:
    """One bottle's terminal."""

    def __init__(self, size: Terminal, colors: Mapping[str, str] | None = None) -> None:
        self._filter = OutputFilter()
        self._cursor = Cursor(size.rows, size.columns)
        self._answers = Answers(
            size=lambda: (self._cursor.rows, self._cursor.columns),
            cursor=lambda: (self._cursor.row, self._cursor.column),
            mode=self._filter.mode,
            colors=colors or {},
        )
        self._main = _Kept()
        self._other: _Kept | None = None
        """of the alternate screen, while that is shown"""
        self.reported = ""
        """the state that the program says it is in (OSC 7501): a word of its own, believed for lists only"""
        self._sgr: list[str] = []
        self._saved: dict[bool, list[str]] = {}
        """the same, as it was saved with the cursor; of the alternate screen?"""
        self._charset = ""
        self._keypad = ""

    def feed(self, data: bytes) -> Shown:
        """What the program wrote: what of it may be shown, what it is answered."""
        shown: list[str] = []
        answers: list[bytes] = []
        unkept: list[str] = []
        begin = self._state()
        for piece in self._filter.pieces(data):
            if isinstance(piece, Query):
                self.reported = piece.word if piece.kind == "state" else self.reported
                answers.append(self._answers.to(piece))
                continue
            shown.append(piece)
            switched = piece[0] == "\x1b" and self._sequence(piece, unkept, begin)
            self._cursor.feed(piece)
            if switched:
                unkept, begin = [], self._state()
                if piece.endswith("J"):  # in the background colour of the moment
                    unkept = [piece]
                elif self._other is None:  # back on the main screen, which knows nothing of the other
                    unkept = [self._listed(self._filter.known_modes(), {6}) + self._place()]
            else:
                unkept.append(piece)
        self._keep(begin, unkept)
        return Shown("".join(shown).encode(), b"".join(answers))

    def resize(self, size: Terminal) -> None:
        self._cursor.resize(size.rows, size.columns)

    @property
    def column(self) -> int:
        """Where the cursor is."""
        return self._cursor.column

    def replay(self) -> bytes:
        """What brings an empty terminal, cursor at its home, to where the bottle's is."""
        parts = [self._main.replay()]
        if self._other is not None:
            parts.append(b"\x1b[0m" + self._enter().encode() + self._other.replay())
        return b"".join(parts) + self._modes().encode()

    def text(self) -> bytes:
        """The main screen's kept output alone, for a log."""
        return self._main.text()

    # -- what is kept
    def _keep(self, begin: str, pieces: list[str]) -> None:
        kept = self._main if self._other is None else self._other
        kept.add(begin, "".join(pieces).encode())

    def _sequence(self, piece: str, unkept: list[str], begin: str) -> bool:
        """Note what *piece* changes; True when another screen, or an empty one, is what comes after it."""
        if piece[1] != "[":
            if piece[1] in "()":
                self._charset = piece if piece[1] == "(" else self._charset
            elif piece[1] in "=>":
                self._keypad = piece
            elif piece[1] in "78":
                self._save(piece[1] == "7")
            return False
        body, final = piece[2:-1], piece[-1]
        if final == "m":
            self._color(body, piece)
        elif final in "su":
            self._save(final == "s")
        elif final == "J" and body in ("2", "?2"):
            (self._main if self._other is None else self._other).restart()
            return True
        elif final in "hl" and body.startswith("?"):
            numbers = {int(number) for number in body[1:].split(";")}
            if 1048 in numbers:
                self._save(final == "h")
            if numbers & ALTERNATE_SCREEN and (final == "h") is (self._other is None):
                self._keep(begin, unkept)
                if 1049 in numbers and final == "h":
                    self._save(True)
                self._other = _Kept() if final == "h" else None
                if 1049 in numbers and final == "l":
                    self._save(False)
                return True
        return False

    def _save(self, saves: bool) -> None:
        """The cursor is saved, or restored: its colours with it."""
        if saves:
            self._saved[self._other is not None] = list(self._sgr)
        else:
            self._sgr = list(self._saved.get(self._other is not None, []))

    def _color(self, body: str, piece: str) -> None:
        if body.partition(";")[0].strip("0") == "":
            self._sgr.clear()
        if body.strip("0"):
            self._sgr.append(piece)
            del self._sgr[:-MAX_COLORS_KEPT]

    # -- the state that text does not show
    def _enter(self) -> str:
        return next(
            f"\x1b[?{number}h"
            for _, number, on in self._filter.changed_modes()
            if on and number in ALTERNATE_SCREEN
        )

    def _place(self) -> str:
        """Margins and cursor (in this order: setting margins moves it)."""
        margins = self._cursor.margins
        region = f"\x1b[{margins[0]};{margins[1]}r" if margins else "\x1b[r"
        row = self._cursor.row
        if self._filter.mode("?", 6) and margins:
            row -= margins[0] - 1
        return f"{region}\x1b[{row};{self._cursor.column}H"

    def _state(self) -> str:
        """What brings an empty screen here. In the last column, about to wrap: a space is written there."""
        wrap = " " if self._cursor.pending else ""
        return f"\x1b[0m{self._modes(6)}\x1b[0m{self._place()}{wrap}{self._look()}"

    def _modes(self, *also: int) -> str:
        """Modes as they are (the origin's only where it is asked for: setting it moves the cursor), and the look."""
        modes = self._listed(self._filter.changed_modes(), set(also))
        return f"{modes}{self._look()}"

    @staticmethod
    def _listed(modes: Iterable[tuple[str, int, bool]], also: set[int]) -> str:
        left_out = {6, 1048, *ALTERNATE_SCREEN} - also
        return "".join(
            f"\x1b[{mark}{number}{'h' if on else 'l'}" for mark, number, on in modes if number not in left_out
        )

    def _look(self) -> str:
        return f"\x1b[0m{self._charset}{self._keypad}{''.join(self._sgr)}"
