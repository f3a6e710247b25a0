"""What the commands that attach a terminal have in common: waiting for the start, and what is said at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable

import click

from bot_bottle.base import messages
from bot_bottle.cli.errors import FIXABLE, INTERRUPTED
from bot_bottle.ipc import attach, wire
from bot_bottle.launch.attach_client import Parting, Reason
from bot_bottle.store import bottles
from bot_bottle.store.layout import Layout

REAPED_S = 10.0
"""The daemon clears up after a killed session in well under a second."""


def say(line: str) -> None:
    """A line of the session's own messages, as if it were ours."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def await_start(sock: socket.socket, interrupt: Callable[[int], None]) -> Parting:
    """Wait until the agent runs (DETACHED, with the identity) or the launch has failed. Ctrl-C is passed on."""
    with sock:
        sock.send(attach.pack(attach.Hello(24, 80, read_only=True)))
        while True:
            try:
                message, fds = wire.receive(sock, attach.FromSession)
            except wire.WireError:
                return Parting(Reason.LOST)
            except KeyboardInterrupt:
                interrupt(signal.SIGINT)
                continue
            wire.close_all(fds)
            match message:
                case attach.Welcome():
                    return Parting(Reason.DETACHED, identity=message.identity)
                case attach.Notice():
                    say(message.text)
                case attach.Ended():
                    return Parting(Reason.ENDED, ended=message)
                case _:
                    pass


def report(
    parting: Parting, layout: Layout, *, exit_status: bool, started: int = 0, detach: bool = False
) -> int:
    """Say how it came to an end; the command's exit status. *started*: the session process, our child."""
    identity = parting.identity
    match parting.reason:
        case Reason.ENDED:
            assert parting.ended is not None
            _collect(started)
            if detach:  # the agent was never started
                return parting.ended.exit_status or FIXABLE
            status = parting.ended.status
            return status if exit_status and status is not None else parting.ended.exit_status
        case Reason.DETACHED if detach:
            click.echo(identity)
            return 0
        case Reason.DETACHED:
            messages.info(f"detached; {identity} goes on: bot-bottle attach {identity}")
            return 0
        case Reason.TAKEN:
            messages.info(
                f"another terminal has taken {identity} over; to have it back: bot-bottle attach {identity}"
            )
            return 0
        case Reason.SIGNAL:
            if identity:
                messages.info(f"{identity} goes on: bot-bottle attach {identity}")
            return 128 + parting.signal
        case Reason.LOST:
            return _lost(identity, layout, started)


def _lost(identity: str, layout: Layout, started: int) -> int:
    status = _collect(started)
    if not identity:
        messages.error("the session's process ended before its agent was started: see 'bot-bottle logs'")
        return INTERRUPTED if status == INTERRUPTED else FIXABLE
    deadline = time.monotonic() + REAPED_S
    while bottles.is_running(layout, identity) and time.monotonic() < deadline:
        time.sleep(0.02)
    kept = (
        f"; its work is kept: bot-bottle resume {identity}" if bottles.is_preserved(layout, identity) else ""
    )
    messages.error(f"the session process of {identity} was killed, and the bottle with it{kept}")
    return FIXABLE


def _collect(pid: int) -> int:
    """The exit status of our child, which is ending; 0 where there is none."""
    if not pid:
        return 0
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0
