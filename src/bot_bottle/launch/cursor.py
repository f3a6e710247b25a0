"""Where the cursor is after what was shown: needed to answer the question for it (DSR 6), and to redraw.

Follows text that has passed the filter, piece by piece (``terminal.OutputFilter.pieces``); knows no screen
contents. Rows and columns count from 1. Sans-I/O. Behaviour of xterm; where terminals differ (width of
ambiguous characters, reflow at a resize) a full redraw by the program sets it right.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_TAB = 8


@dataclass(frozen=True)
class _Saved:
    row: int = 1
    column: int = 1
    pending: bool = False
    origin: bool = False


class Cursor:
    """``row``, ``column``; give it every piece in order."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.row = self.column = 1
        self.pending = False
        """the last column was written: the next character wraps first"""
        self._top, self._bottom = 1, rows
        self._origin = False
        self._wraps = True
        self._newline = False
        self._saved: dict[bool, _Saved] = {}
        self._alternate = False

    @property
    def margins(self) -> tuple[int, int] | None:
        """The scrolling region; None: the whole screen."""
        return None if (self._top, self._bottom) == (1, self.rows) else (self._top, self._bottom)

    def resize(self, rows: int, columns: int) -> None:
        """The screen has another size: margins are gone, the cursor stays inside."""
        self.rows, self.columns = rows, columns
        self._top, self._bottom = 1, rows
        self._to(self.row, self.column)

    def feed(self, piece: str) -> None:
        """One piece: a run of text, one control, or one sequence."""
        if piece[0] == "\x1b":
            if piece[1] == "[":
                self._csi(piece[2:-1], piece[-1])
            else:
                self._escape(piece[1])
        elif piece < " ":
            self._control(piece)
        else:
            self._text(piece)

    # -- text
    def _text(self, text: str) -> None:
        if text.isascii():
            self._advance_narrow(len(text))
            return
        for char in text:
            width = _width(char)
            if width == 1:
                self._advance_narrow(1)
            elif width == 2:
                self._advance_wide()

    def _advance_narrow(self, count: int) -> None:
        while count:
            if self.pending:
                if not self._wraps:
                    return
                self.column, self.pending = 1, False
                self._index()
            step = min(count, self.columns - self.column + 1)
            count -= step
            self.column += step
            if self.column > self.columns:
                self.column, self.pending = self.columns, True

    def _advance_wide(self) -> None:
        if self._wraps and (self.pending or self.column >= self.columns) and self.columns > 1:
            self.column, self.pending = 1, False
            self._index()
        self.column += 2
        if self.column > self.columns:
            self.column, self.pending = self.columns, True

    def _control(self, char: str) -> None:
        if char in "\n\v\f":
            self._index()
            if self._newline:
                self.column = 1
            self.pending = False
        elif char == "\r":
            self.column, self.pending = 1, False
        elif char == "\b":
            self.column, self.pending = max(1, self.column - 1), False
        elif char == "\t":
            self._tab(1)

    def _tab(self, count: int) -> None:
        stop = ((self.column - 1) // _TAB + count) * _TAB + 1
        self.column = min(self.columns, max(1, stop))

    def _index(self) -> None:
        if self.row != self._bottom and self.row < self.rows:
            self.row += 1

    # -- sequences
    def _escape(self, char: str) -> None:
        if char in "DE":
            self._index()
            self.pending = False
            if char == "E":
                self.column = 1
        elif char == "M":
            if self.row != self._top and self.row > 1:
                self.row -= 1
            self.pending = False
        elif char == "7":
            self._save()
        elif char == "8":
            self._restore()

    def _save(self) -> None:
        self._saved[self._alternate] = _Saved(self.row, self.column, self.pending, self._origin)

    def _restore(self) -> None:
        saved = self._saved.get(self._alternate, _Saved())
        self._origin = saved.origin
        row = min(saved.row, self.rows)
        self.row, self.column = row, min(saved.column, self.columns)
        self.pending = saved.pending and self.column == self.columns

    def _csi(self, body: str, final: str) -> None:
        if final in "hl":
            for number in body.removeprefix("?").split(";"):
                self._mode(body.startswith("?"), int(number), final == "h")
            return
        if body.startswith("?") or final in "mqJKXP@LMSTb":
            if final == "b":
                self._advance_narrow(min(_number(body), self.rows * self.columns))
            elif final in "LM" and self._top <= self.row <= self._bottom:
                self.column, self.pending = 1, False
            return
        count = _number(body)
        match final:
            case "A" | "F":
                limit = self._top if self.row >= self._top else 1
                self._to(max(limit, self.row - count), 1 if final == "F" else self.column)
            case "B" | "E" | "e":
                limit = self._bottom if self.row <= self._bottom else self.rows
                self._to(min(limit, self.row + count), 1 if final == "E" else self.column)
            case "C" | "a":
                self._to(self.row, self.column + count)
            case "D":
                self._to(self.row, self.column - count)
            case "G" | "`":
                self._to(self.row, count)
            case "d":
                self._to(self._absolute(count), self.column)
            case "H" | "f":
                row, _, column = body.partition(";")
                self._to(self._absolute(_number(row)), _number(column))
            case "I":
                self._tab(count)
            case "Z":
                stop = ((self.column + _TAB - 2) // _TAB - count) * _TAB + 1
                self.column, self.pending = max(1, stop), False
            case "r":
                self._margins(body)
            case "s":
                self._save()
            case "u":
                self._restore()
            case _:
                pass

    def _margins(self, body: str) -> None:
        top, _, bottom = body.partition(";")
        first, last = _number(top), min(_number(bottom, self.rows), self.rows)
        if first < last:
            self._top, self._bottom = first, last
            self._to(self._absolute(1), 1)

    def _mode(self, private: bool, number: int, on: bool) -> None:
        if not private:
            self._newline = on if number == 20 else self._newline
        elif number == 6:
            self._origin = on
            self._to(self._absolute(1), 1)
        elif number == 7:
            self._wraps = on
        elif number == 1048:
            self._save() if on else self._restore()
        elif number in (47, 1047, 1049):
            self._switch(number, on)

    def _switch(self, number: int, on: bool) -> None:
        if on and number == 1049 and not self._alternate:
            self._save()
        self._alternate = on
        if not on and number == 1049:
            self._restore()

    def _absolute(self, row: int) -> int:
        return min(self._top + row - 1, self._bottom) if self._origin else row

    def _to(self, row: int, column: int) -> None:
        self.row = min(max(row, 1), self.rows)
        self.column = min(max(column, 1), self.columns)
        self.pending = False


def _number(text: str, default: int = 1) -> int:
    """The first parameter; 0 and nothing are the default."""
    first = text.partition(";")[0].partition(":")[0]
    return int(first or 0) or default


def _width(char: str) -> int:
    """Columns of one character, as wcwidth(3) of most terminals has it."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf") and char != "\xad":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
