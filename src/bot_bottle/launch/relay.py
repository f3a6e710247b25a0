"""The foreground of a bottle: bytes between the operator and the program inside, while watching the rest.

One thread, one ``poll``. The operator's own descriptors never go inside (ruling 43: a pty of the bottle's
own, or pipes); what comes out passes the filter wherever it meets a terminal. The program's end, a
signal, the end of the bottle or whatever else is watched ends the wait.
"""

from __future__ import annotations

import fcntl
import os
import select
import selectors
import signal
import struct
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bot_bottle.launch.terminal import OutputFilter
from bot_bottle.sandbox.contract import Process, Terminal

CHUNK_BYTES = 64 * 1024
"""A pipe's capacity on Linux; one chunk is held per direction."""

TICK_S = 5.0
"""How often ``tick`` is called: the disk limit is looked at this often."""

INTERRUPTS_UNTIL_STOP = 3
"""The program inside gets every Ctrl-C; the third one stops the bottle."""


Watchers = Mapping[int, Callable[[], "Watchers | None"]]
"""Descriptor to what is called, once, when it becomes readable; it may return further watchers."""


class Stopped(Exception):
    """The wait was ended by a signal to us; ``signal`` is its number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.signal = number


@contextmanager
def terminations() -> Iterator[None]:
    """SIGTERM and SIGHUP end what goes on in good order: they raise :class:`Stopped`, as Ctrl-C raises.

    One that is ignored stays so: ``nohup`` means it.
    """

    def stop(number: int, _frame: object) -> None:
        raise Stopped(number)

    previous = {number: signal.signal(number, stop) for number in _heeded(signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _heeded(*numbers: signal.Signals) -> list[signal.Signals]:
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


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
        """What a watcher or *tick* (called every :data:`TICK_S`) raises ends the wait."""
        self._process = process
        self._console = console
        self._terminal = terminal
        self._watch: dict[int, Callable[[], Watchers | None]] = dict(watch or {})
        self._tick = tick
        self._next_tick = time.monotonic() + TICK_S
        self._selector = selectors.PollSelector()
        self._pending_input = b""
        self._outputs: dict[int, tuple[int, OutputFilter | None]] = {}
        self._screens: list[tuple[int, OutputFilter]] = []
        self._interrupts = 0
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
        with self._signals() as wake, self._raw_terminal():
            self._register(wake)
            try:
                while not self._poll(wake):
                    pass
                self._drain()
                return self._process.wait(timeout_s=10)
            finally:
                self._selector.close()
                for fd in self._open:
                    os.close(fd)
                self._open.clear()

    # -- set-up
    def _register(self, wake: int) -> None:
        self._selector.register(wake, selectors.EVENT_READ, "wake")
        self._selector.register(self._process.fileno(), selectors.EVENT_READ, "end")
        watchers, self._watch = self._watch, {}
        self._add_watchers(watchers)
        self._add_output(self._process.stdout, self._console.stdout)
        if self._process.stderr is not None:
            self._add_output(self._process.stderr, self._console.stderr)
        os.set_blocking(self._process.stdin, False)
        if self._usable(self._console.stdin):
            self._selector.register(self._console.stdin, selectors.EVENT_READ, "input")
        else:
            self._close_input()

    def _add_watchers(self, watchers: Watchers | None) -> None:
        for fd, action in (watchers or {}).items():
            self._watch[fd] = action
            self._selector.register(fd, selectors.EVENT_READ, "watch")

    def _add_output(self, source: int, target: int) -> None:
        os.set_blocking(source, False)
        screen = OutputFilter() if os.isatty(target) and not self._console.raw else None
        if screen is not None:
            self._screens.append((target, screen))
        self._outputs[source] = (target, screen)
        self._selector.register(source, selectors.EVENT_READ, "output")

    @staticmethod
    def _usable(fd: int) -> bool:
        try:
            os.fstat(fd)
        except OSError:
            return False
        return True

    @contextmanager
    def _signals(self) -> Iterator[int]:
        wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        previous_wakeup = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        numbers = [*_heeded(signal.SIGINT, signal.SIGTERM, signal.SIGHUP), signal.SIGWINCH]
        previous = {number: signal.signal(number, lambda *_: None) for number in numbers}
        try:
            yield wake_read
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(previous_wakeup)
            os.close(wake_read)
            os.close(wake_write)

    @contextmanager
    def _raw_terminal(self) -> Iterator[None]:
        """Keys go inside as they are typed; at the end the terminal is as it was, whatever was shown on it."""
        saved = None
        if self._terminal and os.isatty(self._console.stdin):
            saved = termios.tcgetattr(self._console.stdin)
            tty.setraw(self._console.stdin)
        try:
            yield
        finally:
            if saved is not None:
                termios.tcsetattr(self._console.stdin, termios.TCSADRAIN, saved)
            for target, screen in self._screens:
                with suppress(OSError):
                    os.write(target, screen.restore())

    # -- the loop
    def _poll(self, wake: int) -> bool:
        """One round; True when the program has ended."""
        ready = self._selector.select(max(self._next_tick - time.monotonic(), 0.0))
        if time.monotonic() >= self._next_tick:
            if self._tick:
                self._tick()
            self._next_tick = time.monotonic() + TICK_S
        ended = False
        for key, _ in ready:
            match key.data:
                case "wake":
                    self._on_signals(os.read(wake, 64))
                case "output":
                    self._read_output(key.fd)
                case "input":
                    self._read_input()
                case "pending":
                    self._write_input()
                case "watch":
                    self._selector.unregister(key.fd)
                    self._add_watchers(self._watch.pop(key.fd)())
                case "end":
                    ended = True
        return ended

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
        shown = screen.feed(data) if screen else data
        try:
            while shown:
                try:
                    shown = shown[os.write(target, shown) :]
                except BlockingIOError:  # somebody who shares our terminal or pipe has made it so
                    select.select([], [target], [], 1.0)
        except OSError:  # nobody reads us any more; the program inside learns it as any writer does
            self._drop_output(source, close=not self._terminal)
            return False
        return True

    def _drop_output(self, source: int, *, close: bool = False) -> None:
        self._outputs.pop(source)
        self._selector.unregister(source)
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
            self._selector.unregister(self._console.stdin)
            self._close_input()
            return
        self._pending_input = data
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
            self._forget(self._console.stdin)
            self._close_input()
            return
        keys = self._selector.get_map()
        waiting = self._writer in keys
        if self._pending_input and not waiting:
            self._forget(self._console.stdin)
            self._selector.register(self._writer, selectors.EVENT_WRITE, "pending")
        elif not self._pending_input and waiting:
            self._selector.unregister(self._writer)
            self._selector.register(self._console.stdin, selectors.EVENT_READ, "input")

    def _forget(self, fd: int) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def _close_input(self) -> None:
        """End of our input is end of the program's, unless it is a pty: that one ends with the program."""
        if not self._terminal:
            self._forget(self._process.stdin)
            self._close(self._process.stdin)

    def _close(self, fd: int) -> None:
        if fd in self._open:
            self._open.remove(fd)
            os.close(fd)
