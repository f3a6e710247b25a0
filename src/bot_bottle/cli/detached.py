"""A session in a process of its own, which outlives the terminal that it was started from.

The command forks once everything has been asked; the child leaves the terminal's session, keeps none of its
descriptors, and runs the bottle; the command goes on as the first attached terminal. The child is what
``stop``, the daemon and the state directory's lock know as the launching process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from bot_bottle.base import linux, messages
from bot_bottle.base.clock import utc_now
from bot_bottle.cli import attached, errors
from bot_bottle.cli.errors import Exit
from bot_bottle.cli.launching import Ready, carry_out, install
from bot_bottle.ipc import attach, wire
from bot_bottle.launch.attach_client import Client
from bot_bottle.launch.attach_hub import Hub
from bot_bottle.launch.detach_keys import spell
from bot_bottle.launch.relay import Console
from bot_bottle.launch.session import Front
from bot_bottle.launch.watching import Stopped, Watchers
from bot_bottle.sandbox.contract import Process
from bot_bottle.store import endings
from bot_bottle.store.bottles import BottleState
from bot_bottle.store.endings import Ending
from bot_bottle.store.files import StoreError
from bot_bottle.store.layout import Layout
from bot_bottle.store.logs import SCREEN, SESSION, new_log, open_log

SAID_LINES = 20
"""Of the session's messages, for who comes after its end."""


def conduct(
    ready: Ready,
    layout: Layout,
    state: BottleState | None = None,
    *,
    headless: bool,
    raw: bool,
    detach: bool,
    keys: bytes,
    exit_status: bool,
) -> int:
    """Run the session to its end, or until this terminal is no longer attached: the command's exit status.

    *headless* (a task, nobody types), or without a terminal: in the foreground, unless *detach*. *state*: of
    the bottle that is resumed. *exit_status*: the agent's, instead of 0.
    """
    install(ready)
    console = Console(raw=raw)
    if detach or (console.interactive() and not headless):
        return _begin(ready, layout, console, state, keys=None if detach else keys, exit_status=exit_status)
    messages.info(LEAVING)
    status = _carry(ready, layout, console, state)
    return status if exit_status else 0


LEAVING = "the bottle is removed at the end, unless it holds work; Ctrl-D or 'exit' leaves"


def _carry(ready: Ready, layout: Layout, front: Front, state: BottleState | None) -> int:
    """The agent's status."""
    try:
        outcome = carry_out(ready, layout, front, state)
    except Stopped as stopped:
        raise Exit(128 + stopped.signal) from None
    messages.info(f"the agent ended with status {outcome.status}")
    return outcome.status


def _begin(
    ready: Ready,
    layout: Layout,
    console: Console,
    state: BottleState | None,
    *,
    keys: bytes | None,
    exit_status: bool,
) -> int:
    """Run the session in a process of its own; *keys* leave it, None: don't attach, print the identity once
    the agent runs. The lock of *state* is the child's from here on."""
    if keys is not None:
        messages.info(f"{LEAVING}; {spell(keys)} leaves it running")
    sys.stdout.flush()
    sys.stderr.flush()
    mine, theirs = wire.pair()
    pid = os.fork()
    if pid == 0:
        try:
            mine.detach()
            _Session(ready, layout, state).run(theirs.detach())
        finally:
            os._exit(errors.BUG)
    theirs.close()
    if state is not None:
        state.close()  # the child has it too: closing lets go of nothing

    def interrupt(number: int) -> None:
        os.kill(pid, number)

    if keys is None:
        parting = attached.await_start(mine, interrupt)
    else:
        parting = Client(mine, console, keys, attached.say, interrupt).run()
    return attached.report(parting, layout, exit_status=exit_status, started=pid, detach=keys is None)


class _Session:
    """The child's side."""

    def __init__(self, ready: Ready, layout: Layout, state: BottleState | None) -> None:
        self._ready = ready
        self._layout = layout
        self._state = state
        self._status: int | None = None
        self._started_at = utc_now()

    def run(self, link: int) -> None:
        """Never returns."""
        _leave(link, self._state)
        subject = self._ready.prepared.plan.subject
        name = subject.display_name or self._ready.request.template
        front = _Front(self._layout, name, subject.color, link, self._started_at)
        sys.stderr = front.said
        exit_status = errors.guarded(lambda: self._carry(front))
        if front.carried and not front.attached:
            self._record(front, name, exit_status)
        elif front.identity:
            endings.release(self._layout, front.identity)
        front.finish(attach.Ended(exit_status, self._status))
        os._exit(exit_status)

    def _carry(self, front: _Front) -> int:
        self._status = _carry(self._ready, self._layout, front, self._state)
        return 0

    def _record(self, front: _Front, name: str, exit_status: int) -> None:
        """How it ended, and what was on the screen where the disk has room for that too."""
        subject = self._ready.prepared.plan.subject
        endings.release(self._layout, front.identity)
        ending = Ending(
            front.identity, name, subject.agent, subject.label, subject.bottles, subject.color,
            self._ready.request.backend, self._started_at, utc_now(), exit_status, self._status,
            said=tuple(front.said.last),
        )  # fmt: skip
        try:
            endings.write(self._layout, ending)
            screen = new_log(self._layout, front.identity, SCREEN, started_at=self._started_at)
            with open(open_log(screen), "wb") as file:
                file.write(front.last_screen())
            endings.write(self._layout, replace(ending, screen=str(screen)))
        except (StoreError, OSError) as error:
            messages.warning(f"the session's end could not be recorded whole: {error}")


def _leave(link: int, state: BottleState | None) -> None:
    """A session without a terminal, and nothing of the command's but what is needed."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    linux.close_all_except({0, 1, 2, link, *([state.lock_fd] if state else [])})


class _Front(Hub):
    """The hub of a session process, whose messages go to its log and to whoever is attached."""

    def __init__(self, layout: Layout, title: str, color: str, link: int, started_at: str) -> None:
        super().__init__(layout, title, color, socket.socket(fileno=link))
        self.said = _Said(self.notice)
        self.identity = ""
        self.carried = False
        """the agent was started"""
        self._at = started_at

    def begin(self, identity: str) -> None:
        self.identity = identity
        self.said.log = open_log(new_log(self._layout, identity, SESSION, started_at=self._at))
        endings.reserve(self._layout, identity)
        super().begin(identity)

    def carry(self, process: Process, watch: Watchers, tick: Callable[[], None]) -> int:
        self.carried = True
        os.chdir("/")  # nobody's directory is kept busy
        return super().carry(process, watch, tick)


class _Said:
    """Standard error of a session process: whole lines, to its log and to who is attached."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._unfinished = ""
        self.log = -1
        self.last: deque[str] = deque(maxlen=SAID_LINES)

    def write(self, text: str) -> int:
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            self.last.append(line)
            if self.log >= 0:
                with contextlib.suppress(OSError):  # the disk is full: who is attached is told all the same
                    os.write(self.log, line.encode("utf-8", "backslashreplace") + b"\n")
            self._tell(line)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back but the beginning of a line."""

    def fileno(self) -> int:
        return 2

    def isatty(self) -> bool:
        return False
