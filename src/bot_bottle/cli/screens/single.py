"""Choose one of a list, with an incremental filter (spec: cli, section 9).

========================  ===========================================================
key                       what it does
========================  ===========================================================
↑ ``k``, ↓ ``j``          move
Enter                     choose
any printable             extend the filter, cursor to the top
Backspace                 shorten the filter
Esc, ``q``, Ctrl-C/-D     cancel
========================  ===========================================================

``q``, ``j`` and ``k`` are text once the filter is not empty, so that every name can be typed out.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot_bottle.cli.screens.frame import (
    BACKSPACES,
    Line,
    Size,
    Style,
    fitted,
    matching,
    rule,
    tail,
    typed,
    window,
)

HELP = "↑/↓ move  Enter choose  type to filter  Esc cancel"
_FIXED_ROWS = 5


class SinglePicker:
    """``result`` is the index of the chosen item; None: cancelled."""

    least = Size(20, _FIXED_ROWS + 1)

    def __init__(self, title: str, items: Sequence[str]) -> None:
        self.title = title
        self.items = tuple(items)
        self.filter = ""
        self.cursor = 0
        self.done = not self.items
        self.result: int | None = None

    @property
    def matches(self) -> list[int]:
        return matching(self.items, self.filter)

    def press(self, key: str, character: str | None) -> None:
        command = not self.filter and key in ("q", "j", "k")
        if key in ("escape", "ctrl+c", "ctrl+d") or (command and key == "q"):
            self.done = True
        elif key == "up" or (command and key == "k"):
            self.cursor = max(self.cursor - 1, 0)
        elif key == "down" or (command and key == "j"):
            self.cursor = max(min(self.cursor + 1, len(self.matches) - 1), 0)
        elif key == "enter":
            if self.matches:
                self.result, self.done = self.matches[self.cursor], True
        elif key in BACKSPACES:
            self._refilter(self.filter[:-1])
        elif text := typed(character):
            self._refilter(self.filter + text)

    def paste(self, text: str) -> None:
        self._refilter(self.filter + "".join(map(typed, text)))

    def _refilter(self, text: str) -> None:
        self.filter, self.cursor = text, 0

    def view(self, size: Size) -> list[Line]:
        width, matches = size.columns, self.matches
        rows = [
            Line(fitted(self.title, width), Style.BOLD),
            Line("Filter: " + tail(self.filter, width - 9)),
            rule(size),
        ]
        for row in window(len(matches), self.cursor, size.rows - _FIXED_ROWS):
            here = row == self.cursor
            text = fitted(self.items[matches[row]], width - 2)
            rows.append(Line(("> " if here else "  ") + text, Style.REVERSE if here else Style.PLAIN))
        if not matches:
            rows.append(Line("  (nothing matches)", Style.DIM))
        return [*rows, rule(size), Line(fitted(HELP, width), Style.DIM)][: size.rows]
