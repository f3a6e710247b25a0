"""Name and colour of a bottle (spec: cli, section 9): one step each, either may be left out.

========  ==========================  ====================================================================
step      key                         what it does
========  ==========================  ====================================================================
label     printable                   the first one replaces the default, later ones are appended
label     Backspace                   delete the last character
label     Enter                       take it; the default where it is empty
label     Esc, Ctrl-C                 take the default
colour    ↑ ``k``, ↓ ``j``            move
colour    Enter                       take it
colour    Esc, Ctrl-C                 no colour
========  ==========================  ====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from bot_bottle.cli.screens.frame import BACKSPACES, Line, Size, Style, fitted, rule, tail, typed

MAX_LABEL_CHARS = 60
"""An identity has 40; more would not fit a title or a list."""

COLORS = {
    "": Style.PLAIN,
    "red": Style.RED,
    "green": Style.GREEN,
    "yellow": Style.YELLOW,
    "blue": Style.BLUE,
    "magenta": Style.MAGENTA,
}
"""Name to how it is drawn; the empty one is no colour."""

_NAMES = tuple(COLORS)


class Step(Enum):
    LABEL = auto()
    COLOR = auto()


@dataclass(frozen=True)
class Naming:
    """The answer. ``color`` is a name or empty."""

    label: str
    color: str


class NamingModal:
    """``result`` is always an answer: what is not given is the default."""

    least = Size(20, 9)

    def __init__(
        self, default: str, *, notice: str = "", label: bool = True, color: str | None = None
    ) -> None:
        """*default* is the label that is there at first; *notice* stands below the field. Without *label*, or
        with a *color*, that step was answered before."""
        self.default = default
        self.notice = notice
        self.text = default
        self.untouched = True
        self.cursor = 0
        self._color = color
        self.step = Step.LABEL if label else Step.COLOR
        self.done = not label and color is not None
        self.result = Naming(default, color or "")

    def press(self, key: str, character: str | None) -> None:
        if self.step is Step.LABEL:
            self._press_label(key, character)
        else:
            self._press_color(key)

    def paste(self, text: str) -> None:
        if self.step is Step.LABEL:
            for character in text:
                self._type(character)

    def _press_label(self, key: str, character: str | None) -> None:
        if key == "enter":
            self._take_label(self.text.strip() or self.default)
        elif key in ("escape", "ctrl+c"):
            self._take_label(self.default)
        elif key in BACKSPACES:
            self.text, self.untouched = self.text[:-1], False
        else:
            self._type(character)

    def _type(self, character: str | None) -> None:
        text = typed(character)
        if not text:
            return
        self.text = text if self.untouched else (self.text + text)[:MAX_LABEL_CHARS]
        self.untouched = False

    def _take_label(self, label: str) -> None:
        self.result = Naming(label, self._color or "")
        self.step = Step.COLOR
        self.done = self._color is not None

    def _press_color(self, key: str) -> None:
        if key in ("up", "k"):
            self.cursor = max(self.cursor - 1, 0)
        elif key in ("down", "j"):
            self.cursor = min(self.cursor + 1, len(_NAMES) - 1)
        elif key == "enter":
            self.result, self.done = Naming(self.result.label, _NAMES[self.cursor]), True
        elif key in ("escape", "ctrl+c"):
            self.done = True

    def view(self, size: Size) -> list[Line]:
        rows = self._label_view(size) if self.step is Step.LABEL else self._color_view(size)
        return rows[: size.rows]

    def _label_view(self, size: Size) -> list[Line]:
        width = size.columns
        rows = [
            Line(fitted("Name this bottle", width), Style.BOLD),
            Line(
                f"Label: {tail(self.text, width - 9)}{'' if self.untouched else '_'}",
                Style.DIM if self.untouched else Style.PLAIN,
            ),
        ]
        if self.notice:
            rows.append(Line(fitted(self.notice, width), Style.BOLD))
        help_ = "type a name  Enter take it  Esc take the default"
        return [*rows, rule(size), Line(fitted(help_, width), Style.DIM)]

    def _color_view(self, size: Size) -> list[Line]:
        width = size.columns
        rows = [Line(fitted(f"Colour of {self.result.label}", width), Style.BOLD), rule(size)]
        for row, name in enumerate(_NAMES):
            here = row == self.cursor
            rows.append(Line(fitted(f"{'> ' if here else '  '}{name or '(none)'}", width), COLORS[name]))
        help_ = "↑/↓ move  Enter take it  Esc none"
        return [*rows[: size.rows - 1], Line(fitted(help_, width), Style.DIM)]
