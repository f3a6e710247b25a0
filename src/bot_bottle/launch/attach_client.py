"""The operator's end of an attached terminal: keys go to the session, what it shows comes here.

The bottle's life is the session's; whatever happens to this process, nothing happens to the bottle. Whatever
happens to the session, the terminal is put back as it was, and it is said what happened. What is shown is
filtered a second time here: that is what knows how to undo it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import termios
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from bot_bottle.ipc import attach, wire
from bot_bottle.launch import decoration
from bot_bottle.launch.detach_keys import HELD_S, Watcher
from bot_bottle.launch.relay import Console
from bot_bottle.launch.terminal import OutputFilter
from bot_bottle.launch.watching import heeded, waking_signals

READ_BYTES = 4096

RESTORE_RAW = (
    b"\x1b[0m\x1b(B\x1b)B\x0f\x1b>\x1b[?1049l\x1b[r\x1b[?6l\x1b[?7h\x1b[?25h\x1b[4l"
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?1l\x1b[?2004l"
)
"""After unfiltered output nobody knows what was set: the usual things are undone."""


LAST_S = 1.0
"""For a terminal to take what puts it back."""

_ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Reason(Enum):
    """Why the terminal is no longer attached."""

    ENDED = auto()
    DETACHED = auto()
    TAKEN = auto()
    LOST = auto()
    """the session process is gone without a word"""
    SIGNAL = auto()


@dataclass
class Parting:
    """How it came to an end."""

    reason: Reason
    ended: attach.Ended | None = None
    signal: int = 0
    identity: str = ""
    """empty: the program was never seen running"""


@dataclass
class Client:
    """:meth:`run` may be called once."""

    sock: socket.socket
    console: Console
    keys: bytes
    say: Callable[[str], None]
    """shows a line of the session's own messages"""
    interrupt: Callable[[int], None] | None = None
    """what a signal before the program runs is passed on to"""
    read_only: bool = False
    _welcome: attach.Welcome | None = None
    _saved: list[Any] | None = None
    _filter: OutputFilter = field(default_factory=OutputFilter)
    _held: list[str] = field(default_factory=list)
    _typed: bytes = b""
    _held_since: float | None = None
    _signals: bytes = b""
    """that came while the terminal was waited for"""
    _out: int = -1
    _wake: int = -1

    def run(self) -> Parting:
        """Attach until something ends it; the terminal is as before then. Raises nothing of the session's."""
        self._watcher = Watcher(self.keys)
        self._out = _own_description(self.console.stdout)
        self.sock.setblocking(False)
        numbers = [
            *heeded(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP),
            signal.SIGWINCH,
            signal.SIGCONT,
        ]
        try:
            with waking_signals(numbers) as self._wake:
                self._hello()
                parting = None
                while parting is None:
                    parting = self._round(self._wake)
                self._restore()
        finally:
            self._wake = -1
            self._restore()
            os.close(self._out)
            self.sock.close()
        if self._welcome is not None:
            parting.identity = self._welcome.identity
        return parting

    # -- the loop
    def _round(self, wake: int) -> Parting | None:
        raw = self._saved is not None
        reads = [wake, self.sock.fileno()]
        if raw and len(self._typed) < attach.MAX_DATA_BYTES:
            reads.append(self.console.stdin)
        writes = [self.sock.fileno()] if self._typed else []
        wait = None
        if self._held_since is not None:
            wait = max(self._held_since + HELD_S - time.monotonic(), 0.0)
        if self._signals:
            wait = 0.0
        readable, writable, _ = select.select(reads, writes, [], wait)
        if wake in readable:
            self._signals += os.read(wake, 64)
        while self._signals:
            number, self._signals = self._signals[0], self._signals[1:]
            if parting := self._on_signal(number):
                return parting
        if self.console.stdin in readable and (parting := self._read_keys()):
            return parting
        if self._held_since is not None and time.monotonic() >= self._held_since + HELD_S:
            self._typed += self._watcher.release()
            self._held_since = None
        if self._typed or writable:
            self._send_keys()
        if self.sock.fileno() in readable:
            return self._hear()
        return None

    def _on_signal(self, number: int) -> Parting | None:
        if number == signal.SIGWINCH:
            self._resize(redraw=False)
        elif number == signal.SIGTSTP:
            self._suspend()
        elif number == signal.SIGCONT:
            if self._saved is None and self._welcome is not None:
                self._enter()
                self._resize(redraw=True)
        elif self._welcome is None and number == signal.SIGINT and self.interrupt is not None:
            self.interrupt(number)
        else:
            return Parting(Reason.SIGNAL, signal=number)
        return None

    def _read_keys(self) -> Parting | None:
        try:
            data = os.read(self.console.stdin, READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            return Parting(Reason.SIGNAL, signal=signal.SIGHUP)
        inside, leave = self._watcher.feed(data)
        self._held_since = time.monotonic() if self._watcher.holds else None
        if not self.read_only:
            self._typed += inside
        elif b"\x03" in data or b"q" in data:  # nothing goes inside: the usual ways out of a view work
            leave = True
        return Parting(Reason.DETACHED) if leave else None

    def _send_keys(self) -> None:
        while self._typed:
            chunk = self._typed[: attach.MAX_DATA_BYTES]
            if not self._send(attach.Keys(chunk)):
                return
            self._typed = self._typed[len(chunk) :]

    def _hear(self) -> Parting | None:
        try:
            message, fds = wire.receive(self.sock, attach.FromSession)
        except BlockingIOError:
            return None
        except wire.WireError:
            return Parting(Reason.LOST)
        wire.close_all(fds)
        match message:
            case attach.Show():
                return self._show(message.data)
            case attach.Welcome():
                self._welcome = message
                self._enter()
            case attach.Clear():
                self._write(self._undo() + b"\x1b[H\x1b[2J")
            case attach.Notice():
                self._say(message.text)
            case attach.ProgramEnded():
                self._restore(b"\r\n" if message.column > 1 else b"")
            case attach.Taken():
                return Parting(Reason.TAKEN)
            case attach.Ended():
                return Parting(Reason.ENDED, ended=message)
            case _:
                pass
        return None

    # -- to the session
    def _hello(self) -> None:
        size = self.console.size()
        rows, columns = min(size.rows, 4096), min(size.columns, 4096)
        self._send(attach.Hello(rows, columns, read_only=self.read_only, raw=self.console.raw))

    def _resize(self, *, redraw: bool) -> None:
        size = self.console.size()
        self._send(attach.Resize(min(size.rows, 4096), min(size.columns, 4096), redraw=redraw))

    def _send(self, message: Any) -> bool:
        """False: it is not taken now. That the session is gone is found when reading."""
        try:
            self.sock.send(attach.pack(message))
        except BlockingIOError:
            return False
        except OSError:
            self._typed = b""
        return True

    # -- the terminal
    def _enter(self) -> None:
        """Keys as they are typed, title and colours, an empty screen: what was there is in the scrollback."""
        if os.isatty(self.console.stdin):
            self._saved = termios.tcgetattr(self.console.stdin)
            tty.setraw(self.console.stdin, termios.TCSANOW)
        assert self._welcome is not None
        empty = b"\x1b[999;1H" + b"\r\n" * self.console.size().rows + b"\x1b[H"
        self._write(decoration.begin(self._welcome.title, self._welcome.color) + b"\x1b[0m" + empty)

    def _suspend(self) -> None:
        """SIGTSTP from outside (Ctrl-Z goes inside): the shell gets its terminal as it was."""
        self._restore()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _undo(self) -> bytes:
        undo = RESTORE_RAW if self.console.raw else self._filter.restore()
        self._filter = OutputFilter()
        return undo

    def _restore(self, last: bytes = b"\x1b[999;1H\r\n") -> None:
        """Put the terminal back; *last*: to a line of our own, by default below all that is shown."""
        if self._saved is None:
            return
        undo = self._undo()
        if self._welcome is not None:
            undo += decoration.end(self._welcome.title, self._welcome.color)
        self._write(undo + last, patient=False)
        with suppress(termios.error):  # the terminal itself is gone
            if self.console.raw:  # it may have been asked, and its answer is no command
                termios.tcflush(self.console.stdin, termios.TCIFLUSH)
            termios.tcsetattr(self.console.stdin, termios.TCSANOW, self._saved)
        self._saved = None
        for text in self._held:
            self.say(text)
        self._held.clear()

    def _show(self, data: bytes) -> Parting | None:
        shown = data if self.console.raw else self._filter.feed(data)
        return None if self._write(shown) else Parting(Reason.SIGNAL, signal=signal.SIGHUP)

    def _say(self, text: str) -> None:
        """At once, or when it does not end up in the middle of the program's screen."""
        if self._saved is None:
            self.say(text)
        else:
            self._held.append(text)

    def _write(self, data: bytes, *, patient: bool = True) -> bool:
        """False: the terminal is gone. One that has been stopped (Ctrl-S) is waited for until a signal ends
        us; at the end (not *patient*) only for a moment."""
        while data:
            try:
                data = data[os.write(self._out, data[:READ_BYTES]) :]
            except BlockingIOError:
                wakes = [self._wake] if patient and self._wake >= 0 else []
                readable, writable, _ = select.select(wakes, [self._out], [], None if wakes else LAST_S)
                if readable:
                    self._signals += os.read(self._wake, 64)
                    if _ENDING.intersection(self._signals):
                        return True
                elif not writable:
                    return True
            except OSError:
                return False
        return True


def _own_description(fd: int) -> int:
    """A descriptor for the same terminal that can be made non-blocking without anybody else's being it."""
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return os.dup(fd)
