"""The terminals that are attached to a bottle: any number look on, the newest that types does.

Lives in the session process, which outlives them all. The program inside has a pty of its own; what it writes
is filtered, kept (``screen``) and shown to whoever is there. A second terminal that types takes over from the
first, which is told. Nobody is waited for: a terminal that reads nothing is left behind after a moment.

Who may attach: whoever reaches the socket (0600, in a directory that no bottle or sidecar sees) with our own
uid. What comes from there is typed and bounded (``ipc.attach``).
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bot_bottle.ipc import attach, wire
from bot_bottle.launch import decoration
from bot_bottle.launch.activity import waits_for_input
from bot_bottle.launch.attach_viewer import LAG_S, Viewer
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.screen import Screen
from bot_bottle.launch.watching import Stopped, Watchers, Watching, heeded, waking_signals
from bot_bottle.sandbox.contract import Process, Terminal
from bot_bottle.store.layout import Layout

READ_BYTES = 16 * 1024
MAX_PENDING_BYTES = 64 * 1024
"""Typed (or answered) and not yet taken by the program."""
MAX_VIEWERS = 16
HELLO_S = 5.0
"""Who connects says at once what it is."""
NUDGE_S = 0.1
"""A program that looks at the size only when told of a change has to see two: one row less, then the real one."""
IDLE_S = 3.0
"""Without output: the program may be waiting for somebody. A spinner turns faster than that."""
LAST_S = 1.0
"""For the attached terminals to take the last words."""
MAX_DRAIN_BYTES = 4 * 1024 * 1024
"""Of what stands in the pty when the program has ended; others may go on writing for ever."""
DEFAULT_SIZE = Terminal(24, 80)
_REPORTED = {"idle": True, "blocked": True, "working": False}
"""What programs say of themselves (codex does), to whether they wait."""


class Hub:
    """A session's front (``session.Front``): :meth:`carry` is called once, :meth:`finish` at the very end."""

    def __init__(self, layout: Layout, title: str, color: str, first: socket.socket | None = None) -> None:
        """*first*: a connection whose terminal is attached from the start (its ``Hello`` is on the way)."""
        self._layout = layout
        self._title = title
        self._color = color
        self._viewers: list[Viewer] = []
        self._typist: Viewer | None = None
        self._listener: socket.socket | None = None
        self._path: Path | None = None
        self._size = DEFAULT_SIZE
        self._identity = ""
        self._watching: Watching | None = None
        self._process: Process | None = None
        self._screen = Screen(DEFAULT_SIZE)
        self._pending = b""
        self._nudge_at: float | None = None
        self._output_at = time.monotonic()
        if first is not None:
            viewer = Viewer(first)
            self._viewers.append(viewer)
            if select.select([viewer], [], [], HELLO_S)[0]:  # its size is the program's from the beginning
                self._hear(viewer)

    # -- session.Front
    def begin(self, identity: str) -> None:
        """Listen; whoever attaches now is shown the bottle once its program runs."""
        self._identity = identity
        path, unheard = self._layout.tty_sockets(identity)
        self._path = path
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            unheard.unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                listener.bind(str(unheard))
            finally:
                os.umask(before)
            listener.listen(MAX_VIEWERS)
            os.rename(unheard, path)  # whoever sees it is heard
        except OSError as error:
            listener.close()
            raise LaunchError(f"{str(path)!r} can't be listened on: {error.strerror}") from error
        listener.setblocking(False)
        self._listener = listener

    def terminal(self) -> Terminal:
        return self._size

    def carry(self, process: Process, watch: Watchers, tick: Callable[[], None]) -> int:
        """Until the program ends: its status. Raises as :meth:`relay.Relay.run` does."""
        self._process = process
        self._screen = Screen(self._size, decoration.colors(self._color))
        os.set_blocking(process.stdin, False)
        writer = os.dup(process.stdin)  # one poll entry a number
        try:
            with Watching(process, watch, tick) as self._watching, waking_signals(_signals()) as wake:
                assert self._listener is not None
                self._watching.register(wake, selectors.EVENT_READ, "wake")
                self._watching.register(self._listener.fileno(), selectors.EVENT_READ, "accept")
                for viewer in list(self._viewers):
                    self._welcome(viewer)
                while not self._watching.ended:
                    self._round(wake, writer)
                self._drain()
            return process.wait(timeout_s=10)
        finally:
            self._watching = None
            for fd in {process.stdin, writer}:
                os.close(fd)
            self._stop_listening()
            self._tell(attach.ProgramEnded(self._screen.column))

    # -- for the session process
    def notice(self, text: str) -> None:
        """A line of our own messages for whoever is attached."""
        self._tell(attach.Notice(text[:8000]))

    @property
    def attached(self) -> bool:
        """A terminal that types is there."""
        return self._typist is not None

    def last_screen(self) -> bytes:
        """The end of what the program printed, filtered."""
        return self._screen.text()

    def finish(self, ended: attach.Ended) -> None:
        """The last words; nobody is attached any more. Idempotent."""
        self._stop_listening()
        self._tell(ended)
        deadline = time.monotonic() + LAST_S
        while (waiting := [v for v in self._viewers if v.queued]) and time.monotonic() < deadline:
            select.select([], waiting, [], deadline - time.monotonic())
            for viewer in waiting:
                self._flush(viewer)
        for viewer in list(self._viewers):
            self._drop(viewer)

    # -- the loop
    def _round(self, wake: int, writer: int) -> None:
        assert self._watching is not None and self._process is not None
        source = self._process.stdout
        held_up = [viewer for viewer in self._viewers if viewer.holds_up()]
        self._look(source, 0 if held_up else selectors.EVENT_READ, "output")
        self._look(writer, selectors.EVENT_WRITE if self._pending else 0, "pending")
        for viewer in self._viewers:
            full = viewer is self._typist and len(self._pending) > MAX_PENDING_BYTES
            events = (0 if full else selectors.EVENT_READ) | (
                selectors.EVENT_WRITE if viewer.queued or viewer.lagging else 0
            )
            self._look(viewer.fileno(), events, viewer)
        for _, what, events in self._watching.ready(self._timeout(held_up)):
            match what:
                case "wake":
                    for number in os.read(wake, 64):
                        raise Stopped(number)
                case "output":
                    self._read_output()
                case "pending":
                    self._write_pending()
                case "accept":
                    self._accept()
                case Viewer():
                    self._serve(what, events)
        self._on_time(held_up)

    def _look(self, fd: int, events: int, what: str | Viewer) -> None:
        """Look at *fd* for *events* (0: not at all)."""
        assert self._watching is not None
        selector = self._watching.selector
        known = selector.get_map().get(fd)
        if not events:
            self._watching.forget(fd)
        elif known is None:
            selector.register(fd, events, what)
        elif known.events != events:
            selector.modify(fd, events, what)

    def _timeout(self, held_up: list[Viewer]) -> float | None:
        times = [viewer.progress + LAG_S for viewer in held_up]
        if self._nudge_at is not None:
            times.append(self._nudge_at)
        return min(times) - time.monotonic() if times else None

    def _on_time(self, held_up: list[Viewer]) -> None:
        now = time.monotonic()
        for viewer in held_up:
            if now - viewer.progress >= LAG_S:
                viewer.leave_behind()
        if self._nudge_at is not None and now >= self._nudge_at:
            self._nudge_at = None
            self._set_size()

    def _read_output(self) -> bool:
        """One piece; False when there is none now."""
        assert self._process is not None
        try:
            data = os.read(self._process.stdout, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # EIO: nobody has the terminal open now; the program's end is told apart from it
            data = b""
        if not data:
            time.sleep(0.01)
            return False
        self._output_at = time.monotonic()
        come = self._screen.feed(data)
        for viewer in list(self._viewers):
            if viewer.hello is not None and not viewer.leaving:
                viewer.show(data if viewer.hello.raw else come.shown)
                self._flush(viewer)
        raw = self._typist is not None and self._typist.hello is not None and self._typist.hello.raw
        if come.answers and not raw and len(self._pending) < MAX_PENDING_BYTES:
            self._pending += come.answers
            self._write_pending()
        return True

    def _drain(self) -> None:
        for _ in range(MAX_DRAIN_BYTES // READ_BYTES):
            if not self._read_output():
                return

    def _write_pending(self) -> None:
        assert self._process is not None
        try:
            self._pending = self._pending[os.write(self._process.stdin, self._pending) :]
        except BlockingIOError:
            pass
        except OSError:
            self._pending = b""

    # -- terminals that come, speak and go
    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        now = time.monotonic()
        for viewer in list(self._viewers):
            if viewer.hello is None and now - viewer.born > HELLO_S:
                self._drop(viewer)
        if attach.peer_uid(sock) != os.geteuid() or len(self._viewers) >= MAX_VIEWERS:
            sock.close()
            return
        self._viewers.append(Viewer(sock))

    def _serve(self, viewer: Viewer, events: int) -> None:
        if viewer not in self._viewers:
            return
        if events & selectors.EVENT_WRITE:
            if viewer.lagging:
                viewer.lagging = False
                viewer.send(attach.Clear())
                viewer.show(self._screen.replay())
            self._flush(viewer)
        if viewer in self._viewers and events & ~selectors.EVENT_WRITE:
            self._hear(viewer)

    def _hear(self, viewer: Viewer) -> None:
        try:
            message = viewer.receive()
        except wire.WireError:
            self._drop(viewer)
            return
        match message:
            case attach.Hello() if viewer.hello is None and message.protocol == attach.PROTOCOL:
                viewer.hello = message
                self._greet(viewer, message)
            case attach.Ask() if viewer.hello is None:
                viewer.send(self._condition())
                viewer.leaving = True
                self._flush(viewer)
            case attach.Keys() if viewer is self._typist:
                self._pending += message.data
                if self._watching is not None:
                    self._write_pending()
            case attach.Resize() if viewer.hello is not None:
                self._resized(viewer, message)
            case None:
                pass
            case _:
                self._drop(viewer)

    def _greet(self, viewer: Viewer, hello: attach.Hello) -> None:
        if not hello.read_only:
            before, self._typist = self._typist, viewer
            if before is not None:
                before.send(attach.Taken())
                before.leaving = True
                self._flush(before)
            self._take_size(hello.rows, hello.columns, redraw=True)
        if self._watching is not None:
            self._welcome(viewer)

    def _welcome(self, viewer: Viewer) -> None:
        if viewer.hello is None:
            return
        viewer.send(attach.Welcome(self._identity, self._title, self._color))
        viewer.show(self._screen.replay())
        self._flush(viewer)

    def _resized(self, viewer: Viewer, message: attach.Resize) -> None:
        if viewer is self._typist:
            self._take_size(message.rows, message.columns, redraw=message.redraw)
        if message.redraw:
            viewer.send(attach.Clear())
            viewer.show(self._screen.replay())
            self._flush(viewer)

    def _take_size(self, rows: int, columns: int, *, redraw: bool) -> None:
        """Give the program this size; with *redraw*, make it draw even if that is the one it has."""
        size = Terminal(rows, columns)
        same, self._size = size == self._size, size
        self._screen.resize(size)
        if self._process is None or self._watching is None:
            return
        if same and redraw:
            self._process.resize(Terminal(max(rows - 1, 1), columns))
            self._nudge_at = time.monotonic() + NUDGE_S
        elif not same:
            self._set_size()

    def _set_size(self) -> None:
        assert self._process is not None
        self._process.resize(self._size)

    def _condition(self) -> attach.Condition:
        idle = time.monotonic() - self._output_at
        reported = self._screen.reported
        if reported in _REPORTED:
            waiting = _REPORTED[reported]
        else:
            waiting = self._process is not None and idle >= IDLE_S and waits_for_input(self._process.stdin)
        greeted = [viewer for viewer in self._viewers if viewer.hello is not None]
        typists = int(self._typist is not None)
        return attach.Condition(waiting, idle, bool(typists), len(greeted) - typists)

    def _tell(self, message: attach.Notice | attach.ProgramEnded | attach.Ended) -> None:
        for viewer in list(self._viewers):
            if viewer.hello is not None and not viewer.leaving:
                viewer.lagging = False
                viewer.send(message)
                self._flush(viewer)

    def _flush(self, viewer: Viewer) -> None:
        if not viewer.flush() or (viewer.leaving and not viewer.queued):
            self._drop(viewer)

    def _drop(self, viewer: Viewer) -> None:
        if viewer not in self._viewers:
            return
        self._viewers.remove(viewer)
        if self._watching is not None:
            self._watching.forget(viewer.fileno())
        if viewer is self._typist:
            self._typist = None
        viewer.close()

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._path = None


def _signals() -> list[signal.Signals]:
    return heeded(signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
