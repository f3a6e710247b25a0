"""Choose several of a list, in order (spec: cli, section 9).

=======  ==========================  ==================================================================
focus    key                         what it does
=======  ==========================  ==================================================================
any      Esc, ``q``, Ctrl-C          cancel
any      Ctrl-D                      confirm, even if nothing is selected
any      Tab                         filter → order when something is selected, order → filter
filter   ↑ ``k``, ↓ ``j``            move
filter   Space                       toggle the item under the cursor
filter   Enter                       confirm the selection as it is
filter   Backspace, other printable  edit the filter; typing sets the cursor to the top
order    ↑ ``k``, ↓ ``j``            move
order    ``K`` ``J``                 move the item earlier, later; the cursor follows
order    Space, Enter                remove the item; when none is left, back to the filter
=======  ==========================  ==================================================================

In the filter ``q``, ``j`` and ``k`` are text once it is not empty, so that every name can be typed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

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

FILTER_HELP = "↑/↓ move  Space select  Enter confirm  type to filter  Esc cancel"
ORDER_HELP = "↑/↓ move  K/J earlier/later  Space remove  Tab back  Ctrl-D confirm"
HINT = "  (Tab: change the order)"
_FIXED_ROWS = 6


class Focus(Enum):
    FILTER = auto()
    ORDER = auto()


class MultiPicker:
    """``result`` has the names in the order of their selection; None: cancelled."""

    least = Size(20, 7)

    def __init__(
        self, title: str, names: Sequence[str], *, labels: Sequence[str] = (), selected: Sequence[str] = ()
    ) -> None:
        """*labels* are what is shown, one for each of *names* (default: the names). *selected* keeps its
        order and loses what is not in *names*."""
        self.title = title
        self.names = tuple(names)
        self.labels = tuple(labels) or self.names
        if len(self.labels) != len(self.names):
            raise ValueError("a label for each name")
        self.selected = [name for name in dict.fromkeys(selected) if name in self.names]
        self.focus = Focus.FILTER
        self.filter = ""
        self.cursor = 0
        self.order_cursor = 0
        self.done = not self.names
        self.result: tuple[str, ...] | None = () if self.done else None

    @property
    def matches(self) -> list[int]:
        return matching(self.labels, self.filter)

    def press(self, key: str, character: str | None) -> None:
        text = self.focus is Focus.FILTER and self.filter != ""
        if key in ("escape", "ctrl+c") or (key == "q" and not text):
            self.done = True
        elif key == "ctrl+d":
            self._confirm()
        elif key == "tab":
            if self.focus is Focus.ORDER:
                self.focus = Focus.FILTER
            elif self.selected:
                self.focus, self.order_cursor = Focus.ORDER, 0
        elif self.focus is Focus.FILTER:
            self._press_filter(key, character)
        else:
            self._press_order(key)

    def paste(self, text: str) -> None:
        if self.focus is Focus.FILTER:
            self._refilter(self.filter + "".join(map(typed, text)))

    def _confirm(self) -> None:
        self.result, self.done = tuple(self.selected), True

    def _press_filter(self, key: str, character: str | None) -> None:
        command = not self.filter and key in ("j", "k")
        if key == "up" or (command and key == "k"):
            self.cursor = max(self.cursor - 1, 0)
        elif key == "down" or (command and key == "j"):
            self.cursor = max(min(self.cursor + 1, len(self.matches) - 1), 0)
        elif key == "space":
            self._toggle()
        elif key == "enter":
            self._confirm()
        elif key in BACKSPACES:
            self._refilter(self.filter[:-1])
        elif text := typed(character):
            self._refilter(self.filter + text)

    def _refilter(self, text: str) -> None:
        self.filter, self.cursor = text, 0

    def _toggle(self) -> None:
        if not self.matches:
            return
        name = self.names[self.matches[self.cursor]]
        if name in self.selected:
            self.selected.remove(name)
        else:
            self.selected.append(name)

    def _press_order(self, key: str) -> None:
        at, last = self.order_cursor, len(self.selected) - 1
        if key in ("up", "k"):
            self.order_cursor = max(at - 1, 0)
        elif key in ("down", "j"):
            self.order_cursor = min(at + 1, last)
        elif key == "K" and at > 0:
            self._swap(at, at - 1)
        elif key == "J" and at < last:
            self._swap(at, at + 1)
        elif key in ("space", "enter"):
            del self.selected[at]
            self.order_cursor = max(min(at, last - 1), 0)
            if not self.selected:
                self.focus = Focus.FILTER

    def _swap(self, at: int, to: int) -> None:
        self.selected[at], self.selected[to] = self.selected[to], self.selected[at]
        self.order_cursor = to

    # -- drawing
    def view(self, size: Size) -> list[Line]:
        width, ordering = size.columns, self.focus is Focus.ORDER
        quiet = Style.DIM if ordering else Style.PLAIN
        room = size.rows - (_FIXED_ROWS if self.selected else _FIXED_ROWS - 1)
        order_rows = min(len(self.selected), max(room // 3, 1)) if self.selected else 0
        has_help = room - order_rows >= 1  # on the smallest screen the items need its row
        item_rows = room - order_rows if has_help else 1
        hint = HINT if self.selected and not ordering else ""
        rows = [
            Line(fitted(self.title, width), Style.BOLD),
            Line(fitted("Filter: " + tail(self.filter, width - 9) + hint, width), quiet),
            rule(size),
            *self._items(item_rows, width, quiet, ordering),
            rule(size),
            *self._order(order_rows, width, ordering),
        ]
        if self.selected:
            rows.append(rule(size))
        if has_help:
            rows.append(Line(fitted(ORDER_HELP if ordering else FILTER_HELP, width), Style.DIM))
        return rows[: size.rows]

    def _items(self, count: int, width: int, quiet: Style, ordering: bool) -> list[Line]:
        matches = self.matches
        if not matches:
            return [Line("  (nothing matches)", Style.DIM)]
        rows = []
        for row in window(len(matches), self.cursor, count):
            index, here = matches[row], row == self.cursor and not ordering
            mark = "[*]" if self.names[index] in self.selected else "[ ]"
            text = f"{'> ' if here else '  '}{mark} {fitted(self.labels[index], width - 6)}"
            rows.append(Line(text, Style.REVERSE if here else quiet))
        return rows

    def _order(self, count: int, width: int, ordering: bool) -> list[Line]:
        rows = []
        for row in window(len(self.selected), self.order_cursor, count):
            here = ordering and row == self.order_cursor
            label = self.labels[self.names.index(self.selected[row])]
            text = f"{'> ' if here else '  '}{row + 1}. {fitted(label, width - 7)}"
            rows.append(Line(text, Style.REVERSE if here else Style.PLAIN))
        return rows
