"""A model on the operator's terminal: Textual draws it and reads the keys, on ``/dev/tty`` alone.

Standard input and output may be redirected: nothing is read from the one or written to the other. Whatever
Textual changes about the process (signal handlers, the terminal's modes) is put back. No line is parsed for
markup, and nothing but text, SGR and what Textual itself writes reaches the terminal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from bot_bottle.base import messages
from bot_bottle.cli.errors import Exit
from bot_bottle.cli.screens.frame import Line, Model, Size, Style

DEFAULT_TERM = "xterm-256color"
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_SIGNALS = (*_ENDINGS, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTOU, signal.SIGTTIN)
_STYLES = {
    Style.PLAIN: RichStyle(),
    Style.BOLD: RichStyle(bold=True),
    Style.DIM: RichStyle(dim=True),
    Style.REVERSE: RichStyle(reverse=True),
    Style.RED: RichStyle(bold=True, color="bright_red"),
    Style.GREEN: RichStyle(bold=True, color="bright_green"),
    Style.YELLOW: RichStyle(bold=True, color="bright_yellow"),
    Style.BLUE: RichStyle(bold=True, color="bright_blue"),
    Style.MAGENTA: RichStyle(bold=True, color="bright_magenta"),
}


def show(model: Model, terminal: int) -> bool:
    """Run *model* on the terminal that the descriptor *terminal* is open on until it is done.

    False: it could not be shown (too small), and a warning said so; the model is as it was. What goes wrong in
    the drawing is raised; SIGTERM and SIGHUP are the command's end (``Exit``), once the terminal is as it was.
    """
    if model.done:
        return True
    size = os.get_terminal_size(terminal)
    if size.columns < model.least.columns or size.lines < model.least.rows:
        messages.warning(
            f"the terminal is too small for this question ({size.columns}x{size.lines}): "
            f"make it {model.least.columns}x{model.least.rows} at least, or answer with flags"
        )
        return False
    os.environ.setdefault("TERM", DEFAULT_TERM)
    app = ModelApp(model, driver_on(terminal))
    with _process_as_it_was():
        app.run(mouse=False)
    if app.failure is not None:
        raise app.failure
    if app.stopped:
        raise Exit(128 + app.stopped)
    return True


@contextmanager
def _process_as_it_was() -> Iterator[None]:
    """Textual sets handlers that outlive it, and asks the real standard streams, which may be closed."""
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    streams = {name: getattr(sys, name) for name in ("__stdin__", "__stdout__", "__stderr__")}
    for name, stream in streams.items():
        if stream is None:
            setattr(sys, name, getattr(sys, name.strip("_")))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for name, stream in streams.items():
            setattr(sys, name, stream)


def driver_on(terminal: int) -> type[Driver]:
    """A driver class for a terminal that is open already, whatever the standard streams are."""

    class TerminalDriver(LinuxDriver):
        def __init__(self, app: App[Any], **options: Any) -> None:
            super().__init__(app, **options)
            self._own = os.fdopen(os.dup(terminal), "w", encoding="utf-8", errors="replace")
            self._file = self._own
            self.fileno = terminal
            self.input_tty = True

        def _get_terminal_size(self) -> tuple[int, int]:
            columns, rows = os.get_terminal_size(terminal)
            return columns or 80, rows or 24

        def close(self) -> None:
            super().close()
            self._own.close()

    return TerminalDriver


class Canvas(Widget, can_focus=True):
    """Draws the model's lines, hands it the keys."""

    DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model

    def lines(self) -> list[Line]:
        return self._model.view(Size(self.size.width, self.size.height))

    def render_line(self, y: int) -> Strip:
        lines = self.lines()
        if y >= len(lines):
            return Strip.blank(self.size.width)
        style = _STYLES[lines[y].style]
        return Strip([Segment(lines[y].text, style)]).adjust_cell_length(self.size.width)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        letter = event.character if event.character and event.character.isalpha() else None
        self._model.press(letter or event.key, event.character)
        self._after()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._model.paste(event.text)
        self._after()

    def _after(self) -> None:
        if self._model.done:
            self.app.exit()
        else:
            self.refresh()


class ModelScreen(Screen[None], inherit_bindings=False):
    """Without Textual's own keys."""


class ModelApp(App[None], inherit_bindings=False):
    """One canvas. Every key is the model's."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = []
    CSS = "Screen { background: ansi_default; color: ansi_default; } Canvas { background: ansi_default; }"

    def __init__(self, model: Model, driver: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver, ansi_color=True)
        self._model = model
        self.failure: BaseException | None = None
        self.stopped = 0
        """the signal that ended it"""
        self.no_color = bool(os.environ.get("NO_COLOR"))

    def get_default_screen(self) -> Screen[None]:
        return ModelScreen()

    def compose(self) -> ComposeResult:
        yield Canvas(self._model)

    def on_mount(self) -> None:
        self.query_one(Canvas).focus()
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in _ENDINGS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    loop.add_signal_handler(number, self._stop, number)

    def _stop(self, number: int) -> None:
        self.stopped = number
        self.exit()

    def _print_error_renderables(self) -> None:
        """Our caller raises what went wrong; a traceback with variables must not be printed."""
        self.failure = self._exception
        self._exit_renderables.clear()
