"""The foreground of a bottle: bytes between the operator and the program inside, while watching the rest.

One thread, one ``poll``. The operator's own descriptors never go inside (ruling 43: a pty of the bottle's
own, or pipes); what comes out passes the filter wherever it meets a terminal. The program's end, a
signal, the end of the bottle or whatever else is watched ends the wait.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import selectors
import signal
import struct
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot_bottle.launch.watching import Stopped as Stopped
from bot_bottle.launch.watching import Watchers, Watching, heeded, waking_signals
from bot_bottle.sandbox.contract import Process, Terminal

if TYPE_CHECKING:
    from bot_bottle.launch.answers import Answers
    from bot_bottle.launch.terminal import OutputFilter

CHUNK_BYTES = 64 * 1024
"""A pipe's capacity on Linux; one chunk is held per direction."""

INTERRUPTS_UNTIL_STOP = 3
"""The program inside gets every Ctrl-C; the third one stops the bottle."""

MAX_ANSWERS_BYTES = 4096
"""A program that asks and does not read what it is answered gets no more answers."""

CURSOR_WAIT_S = 0.2
"""A terminal answers in a millisecond, over a slow line in some 100."""

_CURSOR_REPORT = re.compile(rb"\x1b\[(\d{1,5});(\d{1,5})R")


@dataclass(frozen=True)
class Console:
    """The operator's side. ``raw``: show output unfiltered (``--raw-terminal``)."""

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2
    raw: bool = False

    def interactive(self) -> bool:
        """Both ends are a terminal: the program inside gets one too."""
        return os.isatty(self.stdin) and os.isatty(self.stdout)

    def size(self) -> Terminal:
        """The terminal's size; 24 by 80 where it does not say."""
        try:
            rows, columns = struct.unpack("HH", fcntl.ioctl(self.stdout, termios.TIOCGWINSZ, b"\0" * 8)[:4])
        except OSError:
            rows, columns = 0, 0
        return Terminal(rows or 24, columns or 80)

    # -- as a session's front (``session.Front``)
    def begin(self, identity: str) -> None:
        """Nothing to prepare: the foreground is there already."""

    def terminal(self) -> Terminal | None:
        """The terminal that the program inside is to get; None: pipes."""
        return self.size() if self.interactive() else None

    def carry(self, process: Process, watch: Watchers, tick: Callable[[], None]) -> int:
        """Relay until the program ends; see :meth:`Relay.run`."""
        return Relay(process, self, terminal=self.interactive(), watch=watch, tick=tick).run()


class Relay:
    """Carries one process to its end; see :meth:`run`."""

    def __init__(
        self,
        process: Process,
        console: Console,
        *,
        terminal: bool,
        watch: Watchers | None = None,
        tick: Callable[[], None] | None = None,
    ) -> None:
        """What a watcher or *tick* raises ends the wait."""
        self._process = process
        self._console = console
        self._terminal = terminal
        self._watching = Watching(process, watch, tick)
        self._pending_input = b""
        self._outputs: dict[int, tuple[int, OutputFilter | None]] = {}
        self._screens: list[tuple[int, OutputFilter]] = []
        self._answers: Answers | None = None
        self._interrupts = 0
        self._terminal_answers = True
        self._open = {fd for fd in (process.stdin, process.stdout, process.stderr) if fd is not None}
        self._writer = process.stdin
        if process.stdin == process.stdout:  # one poll entry a number: the pty's writing side gets its own
            self._writer = os.dup(process.stdin)
            self._open.add(self._writer)

    def run(self) -> int:
        """Relay until the program ends; its exit status, 128+n for a signal.

        Raises :class:`Stopped` for SIGTERM, SIGHUP and the third SIGINT, SandboxError when the bottle is
        gone, and whatever a watcher raises. The terminal is restored in any case.
        """
        numbers = [*heeded(signal.SIGINT, signal.SIGTERM, signal.SIGHUP), signal.SIGWINCH]
        with self._watching, waking_signals(numbers) as wake, self._raw_terminal():
            self._register(wake)
            try:
                while not self._watching.ended:
                    self._round(wake)
                self._drain()
                return self._process.wait(timeout_s=10)
            finally:
                for fd in self._open:
                    os.close(fd)
                self._open.clear()

    # -- set-up
    def _register(self, wake: int) -> None:
        self._watching.register(wake, selectors.EVENT_READ, "wake")
        self._add_output(self._process.stdout, self._console.stdout)
        if self._process.stderr is not None:
            self._add_output(self._process.stderr, self._console.stderr)
        os.set_blocking(self._process.stdin, False)
        if self._usable(self._console.stdin):
            self._watching.register(self._console.stdin, selectors.EVENT_READ, "input")
        else:
            self._close_input()

    def _add_output(self, source: int, target: int) -> None:
        os.set_blocking(source, False)
        screen = self._new_screen(target) if os.isatty(target) and not self._console.raw else None
        self._outputs[source] = (target, screen)
        self._watching.register(source, selectors.EVENT_READ, "output")

    def _new_screen(self, target: int) -> OutputFilter:
        # Imported where there is a terminal: a launch without one is 2 ms faster.
        from bot_bottle.launch.answers import Answers
        from bot_bottle.launch.terminal import OutputFilter

        screen = OutputFilter()
        self._screens.append((target, screen))
        if self._terminal:
            self._answers = Answers(size=self._size, cursor=self._cursor, mode=screen.mode, colors={})
        return screen

    @staticmethod
    def _usable(fd: int) -> bool:
        try:
            os.fstat(fd)
        except OSError:
            return False
        return True

    @contextmanager
    def _raw_terminal(self) -> Iterator[None]:
        """Keys go inside as they are typed; at the end the terminal is as it was, whatever was shown on it. What is
        not read by then was the program's too, or an answer to it: a shell must not take it for a command."""
        saved = None
        if self._terminal and os.isatty(self._console.stdin):
            saved = termios.tcgetattr(self._console.stdin)
            tty.setraw(self._console.stdin)
        try:
            yield
        finally:
            if saved is not None:
                if not self._terminal_answers:  # it was asked, and may be about to answer
                    select.select([self._console.stdin], [], [], CURSOR_WAIT_S)
                termios.tcsetattr(self._console.stdin, termios.TCSAFLUSH, saved)
            for target, screen in self._screens:
                with suppress(OSError):
                    os.write(target, screen.restore())

    # -- the loop
    def _round(self, wake: int) -> None:
        for fd, kind, _ in self._watching.ready():
            match kind:
                case "wake":
                    self._on_signals(os.read(wake, 64))
                case "output":
                    self._read_output(fd)
                case "input":
                    self._read_input()
                case "pending":
                    self._write_input()

    def _on_signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGWINCH:
                if self._terminal:
                    self._process.resize(self._console.size())
                continue
            if number == signal.SIGINT:
                self._interrupts += 1
                if self._interrupts < INTERRUPTS_UNTIL_STOP:
                    self._process.signal(signal.SIGINT)
                    continue
            raise Stopped(number)

    def _read_output(self, source: int) -> bool:
        """Carry one chunk; False when there is none now or ever again."""
        target, screen = self._outputs[source]
        try:
            data = os.read(source, CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # EIO: the last process of the pty is gone
            data = b""
        if not data:
            self._drop_output(source)
            return False
        try:
            if screen is None:
                self._show(target, data)
            else:
                self._show_filtered(target, screen, data)
        except OSError:  # nobody reads us any more; the program inside learns it as any writer does
            self._drop_output(source, close=not self._terminal)
            return False
        return True

    @staticmethod
    def _show(target: int, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(target, data) :]
            except BlockingIOError:  # somebody who shares our terminal or pipe has made it so
                select.select([], [target], [], 1.0)

    def _show_filtered(self, target: int, screen: OutputFilter, data: bytes) -> None:
        shown: list[str] = []
        for piece in screen.pieces(data):
            if isinstance(piece, str):
                shown.append(piece)
            elif self._answers is not None:
                self._show(target, "".join(shown).encode())
                shown.clear()
                self._answer(self._answers.to(piece))
        self._show(target, "".join(shown).encode())

    # -- answers to the program
    def _answer(self, answer: bytes) -> None:
        if answer and len(self._pending_input) < MAX_ANSWERS_BYTES and self._writer in self._open:
            self._pending_input += answer
            self._write_input()

    def _size(self) -> tuple[int, int]:
        size = self._console.size()
        return size.rows, size.columns

    def _cursor(self) -> tuple[int, int] | None:
        """Where the operator's terminal says that the cursor is: only it knows where it was at the start.

        What is typed meanwhile goes inside. One that does not answer is not asked again.
        """
        stdin = self._console.stdin
        if not self._terminal_answers or not os.isatty(stdin):
            return None
        self._show(self._console.stdout, b"\x1b[6n")
        typed = b""
        while len(typed) < CHUNK_BYTES and select.select([stdin], [], [], CURSOR_WAIT_S)[0]:
            data = os.read(stdin, 1024)
            typed += data
            if found := _CURSOR_REPORT.search(typed):
                self._pending_input += typed[: found.start()] + typed[found.end() :]
                return int(found[1]), int(found[2])
            if not data:
                break
        self._pending_input += typed
        self._terminal_answers = False
        return None

    # -- output's and input's ends
    def _drop_output(self, source: int, *, close: bool = False) -> None:
        self._outputs.pop(source)
        self._watching.forget(source)
        if close:
            self._close(source)

    def _drain(self) -> None:
        """What the program wrote before its end is still in the pipes."""
        for source in list(self._outputs):
            while source in self._outputs and self._read_output(source):
                pass

    def _read_input(self) -> None:
        try:
            data = os.read(self._console.stdin, CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._watching.forget(self._console.stdin)
            self._close_input()
            return
        self._pending_input += data
        self._write_input()

    def _write_input(self) -> None:
        """Write what is held; while something is, nothing more is read."""
        stdin = self._process.stdin
        try:
            self._pending_input = self._pending_input[os.write(stdin, self._pending_input) :]
        except BlockingIOError:
            pass
        except OSError:  # the program has closed its input
            self._pending_input = b""
            self._watching.forget(self._console.stdin)
            self._close_input()
            return
        waiting = self._writer in self._watching.selector.get_map()
        if self._pending_input and not waiting:
            self._watching.forget(self._console.stdin)
            self._watching.register(self._writer, selectors.EVENT_WRITE, "pending")
        elif not self._pending_input and waiting:
            self._watching.forget(self._writer)
            self._watching.register(self._console.stdin, selectors.EVENT_READ, "input")

    def _close_input(self) -> None:
        """End of our input is end of the program's, unless it is a pty: that one ends with the program."""
        if not self._terminal:
            self._watching.forget(self._process.stdin)
            self._close(self._process.stdin)

    def _close(self, fd: int) -> None:
        if fd in self._open:
            self._open.remove(fd)
            os.close(fd)
