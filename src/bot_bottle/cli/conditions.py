"""How a running bottle is, for ``list active``: asked of its session, or read from what it writes.

* ``starting``: the sandbox and the proxy are being made, or the self-test runs;
* ``running``: the program is at work;
* ``waiting``: no output for 3 seconds, and its processes sleep where input could wake them (only of a bottle
  whose session process can be asked, that is: of one that ``start`` or ``resume`` started on a terminal or
  with ``-d``);
* ``refused``: the proxy refused something within the last minute, as its log says (level 1 and above; at
  level 0 it writes nothing); or the session could not start the bottle, or had to end it;
* ``finished``: the agent has ended, or was stopped: its work is being looked at, or nobody was attached and nobody
  has seen the end yet.
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

from bot_bottle.ipc import attach, wire
from bot_bottle.store import bottles, logs
from bot_bottle.store.bottles import StateSummary
from bot_bottle.store.endings import Ending
from bot_bottle.store.layout import Layout

ANSWER_S = 0.5
"""A session answers in a millisecond, unless it is starting or putting the bottle away."""

REFUSED_S = 60.0
TAIL_BYTES = 64 * 1024

BLOCK = "egress_block"

SIGNALLED = 128
"""Exit statuses above it are a signal's."""


def state_of(layout: Layout, summary: StateSummary) -> tuple[str, attach.Condition | None]:
    """The state of a running bottle, and what its session says; None: it has none that could be asked."""
    if summary.phase == bottles.STARTING:
        return "starting", None
    if summary.phase == bottles.ENDING:
        return "finished", None
    condition = ask(layout, summary.identity)
    if refused_lately(layout, summary.identity):
        return "refused", condition
    return "waiting" if condition is not None and condition.waiting else "running", condition


def state_of_ended(ending: Ending) -> str:
    """The state of one that ended while nobody was attached. One that somebody stopped (128 + a signal's number)
    was not refused anything."""
    refused = ending.status is None and 0 < ending.exit_status <= SIGNALLED
    return "refused" if refused else "finished"


def ask(layout: Layout, identity: str) -> attach.Condition | None:
    """What the session process of *identity* says; None: there is none, or it does not answer now."""
    try:
        sock = attach.connect(str(layout.tty_socket(identity)), ANSWER_S)
    except OSError:
        return None
    with sock:
        try:
            if attach.peer_uid(sock) != os.geteuid():
                return None
            sock.send(attach.pack(attach.Ask()))
            message, fds = wire.receive(sock, attach.FromSession)
        except (OSError, wire.WireError):
            return None
    wire.close_all(fds)
    return message if isinstance(message, attach.Condition) else None


def refused_lately(layout: Layout, identity: str, now: datetime.datetime | None = None) -> bool:
    """Whether the last block in the proxy's newest log is at most :data:`REFUSED_S` old."""
    path = logs.latest(layout, identity)
    now = now or datetime.datetime.now(datetime.UTC)
    for line in reversed(_tail(path) if path else []):
        try:
            record = json.loads(line)
            at = datetime.datetime.fromisoformat(record["time"])
            if record["event"] == BLOCK:
                return abs((now - at).total_seconds()) <= REFUSED_S
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # cut, damaged, or not the proxy's
    return False


def _tail(path: Path) -> list[bytes]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return os.pread(fd, TAIL_BYTES, max(os.fstat(fd).st_size - TAIL_BYTES, 0)).splitlines()
    except OSError:
        return []
    finally:
        os.close(fd)
