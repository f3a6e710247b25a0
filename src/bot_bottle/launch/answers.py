"""What the relay answers to the questions that programs ask their terminal (ruling 46). Pure.

The operator's terminal is never asked on a bottle's behalf: its answers tell what it is, and some of them
can be made to hold what was asked. The answers here are fixed, short and true of *us*: a VT220 with colours
(that is what passes the filter), the size and the cursor as they are, the modes as they were set, the
colours that we have set ourselves. What can't be answered so is left without an answer, which is what a
plain terminal does; programs ask for the attributes last and go on when that answer comes.

Recorded at their start, 2026-11: less, top, htop ask nothing. vim 9.0: cursor, DA2, the cursor's blinking
(DECRQM 12), colours. claude 2.1.330: XTVERSION, keyboard protocol, DECRQM 2026 and 1016, graphics (APC), the
size of a cell, DA1 behind them. codex 0.169.0: keyboard protocol, DA1, cursor, colours; where it is told the
cursor, it draws there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot_bottle import __version__
from bot_bottle.launch.terminal import Query

_OF_THE_TERMINAL = frozenset({1016})
"""Modes that pass, but that only some terminals have: mouse positions in pixels."""

COLORS = {10: "foreground", 11: "background"}


class Answers:
    """Answers for one bottle's terminal."""

    def __init__(
        self,
        *,
        size: Callable[[], tuple[int, int]],
        cursor: Callable[[], tuple[int, int] | None],
        mode: Callable[[str, int], bool | None],
        colors: Mapping[str, str],
    ) -> None:
        """*size* and *cursor*: rows and columns; the latter None: not known. *colors*: ``#rrggbb`` by
        ``foreground``, ``background`` or a palette number."""
        self._size = size
        self._cursor = cursor
        self._mode = mode
        self._colors = colors

    def to(self, query: Query) -> bytes:
        """The bytes that the program is to read; empty: no answer."""
        return self._text(query).encode("ascii")

    def _text(self, query: Query) -> str:
        number = query.number
        match query.kind:
            case "attributes":  # DA1: a VT220 with ANSI colours
                return "\x1b[?62;22c"
            case "version-number":  # DA2: a VT100 of no version, so that nobody guesses abilities from it
                return "\x1b[>0;0;0c"
            case "version":  # XTVERSION
                return f"\x1bP>|bot-bottle {__version__}\x1b\\"
            case "status":  # DSR 5: no malfunction
                return "\x1b[0n"
            case "cursor" | "cursor-private":
                mark = "?" if query.kind == "cursor-private" else ""
                at = self._cursor()
                return f"\x1b[{mark}{at[0]};{at[1]}R" if at else ""
            case "size":
                rows, columns = self._size()
                return f"\x1b[8;{rows};{columns}t"
            case "mode" | "mode-private":  # DECRQM: 0 not recognised, 1 set, 2 reset
                mark = "?" if query.kind == "mode-private" else ""
                on = self._mode(mark, number) if number not in _OF_THE_TERMINAL else None
                return f"\x1b[{mark}{number};{0 if on is None else 1 if on else 2}$y"
            case "color":
                return self._color(f"{number}", self._colors.get(COLORS[number]))
            case "palette":
                return self._color(f"4;{number}", self._colors.get(str(number)))
            case _:
                return ""

    @staticmethod
    def _color(what: str, value: str | None) -> str:
        """As xterm says it: four digits a component."""
        if value is None:
            return ""
        red, green, blue = (value[at : at + 2] * 2 for at in (1, 3, 5))
        return f"\x1b]{what};rgb:{red}/{green}/{blue}\x1b\\"
