"""What models and the terminal side share: keys, lines of styled text, and how text is fitted into cells.

Pure. A line is drawn as it is given, never parsed: a name such as ``[red]x`` is shown with its brackets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from rich.cells import cell_len, set_cell_size

from bot_bottle.base.text import printable

MAX_RULE_CELLS = 40
BACKSPACES = frozenset({"backspace", "ctrl+h"})
"""127 and 8: what terminals send for it."""


class Style(Enum):
    """How a span is drawn; the terminal side knows the escape sequences."""

    PLAIN = auto()
    BOLD = auto()
    DIM = auto()
    REVERSE = auto()
    RED = auto()
    GREEN = auto()
    YELLOW = auto()
    BLUE = auto()
    MAGENTA = auto()


@dataclass(frozen=True)
class Line:
    """One row of the screen, in one style."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True)
class Size:
    """The smallest screen that a model can be used on, or the one that it is drawn on."""

    columns: int
    rows: int


class Model(Protocol):
    """A screen without a terminal."""

    least: Size
    done: bool
    """an answer, or its refusal, is there: the screen closes"""

    def press(self, key: str, character: str | None) -> None:
        """One key: its name as Textual has it (``up``, ``ctrl+d``), and what it types, if anything."""

    def paste(self, text: str) -> None:
        """Text that was pasted: never a command."""

    def view(self, size: Size) -> list[Line]:
        """At most ``size.rows`` lines."""


def rule(size: Size) -> Line:
    """The separator: 40 cells, less where the screen is narrower."""
    return Line("─" * min(size.columns - 1, MAX_RULE_CELLS))


def fitted(text: str, cells: int) -> str:
    """*text* made printable and cut to *cells*, with ``…`` where something is missing."""
    shown = printable(text)
    if cell_len(shown) <= cells:
        return shown
    return set_cell_size(shown, max(cells - 1, 0)).rstrip(" ") + "…" if cells > 0 else ""


def tail(text: str, cells: int) -> str:
    """The end of *text*, where the cursor of an input line is."""
    shown = printable(text)
    while cell_len(shown) > max(cells, 0):
        shown = shown[1:]
    return shown


def typed(character: str | None) -> str:
    """The character that a key types; empty for keys that type none."""
    return character if character and len(character) == 1 and printable(character) == character else ""


def window(count: int, cursor: int, rows: int) -> range:
    """Which of *count* rows are shown so that *cursor* is among them, in the middle where it can be."""
    first = max(min(cursor - rows // 2, count - rows), 0)
    return range(first, min(first + max(rows, 0), count))


def matching(labels: Sequence[str], wanted: str) -> list[int]:
    """Indexes of the labels that hold *wanted*, in any case of letters."""
    needle = wanted.casefold()
    return [index for index, label in enumerate(labels) if needle in printable(label).casefold()]
