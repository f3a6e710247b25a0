"""Where a trial lives: a state root of its own beside the operator's, of the same kind, gone at the end.

Beside it, because bottles behave as the file systems do that they lie on; its own, so that nothing of the
operator's is touched and all of it can be removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import select
import signal
from collections.abc import Iterator
from pathlib import Path

from bot_bottle.base import messages
from bot_bottle.ipc.client import DaemonClient, DaemonError
from bot_bottle.launch.reap import discard
from bot_bottle.sandbox.bwrap.limits import find_groups
from bot_bottle.store import bottles
from bot_bottle.store.layout import Layout
from bot_bottle.store.removal import remove_tree

PREFIX = ".bot-bottle-try-"
LOCK = "trial.lock"
"""Held for the time of a trial: a state root whose lock nobody holds was left by a kill -9."""

DAEMON_END_S = 5.0
"""From SIGTERM to its end: 0.1 s without bottles."""


def beside(operators: Layout, key: str) -> Layout:
    """The state root *key* next to the operator's."""
    home = operators.home.with_name(f"{PREFIX}{key}")
    shared = home if operators.shared == operators.home else operators.shared.with_name(key)
    return Layout(home, shared, operators.run.with_name(key))


@contextlib.contextmanager
def ground(operators: Layout) -> Iterator[Layout]:
    """The state root for the time of a trial; every process and directory of it is gone afterwards."""
    _sweep(operators)
    layout = beside(operators, secrets.token_hex(4))
    parents = [path for path in {layout.shared.parent, layout.run.parent} if not path.exists()]
    private(layout.home)
    with open(layout.home / LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield layout
        finally:
            _remove(layout)
            for path in parents:
                with contextlib.suppress(OSError):  # in use by others
                    path.rmdir()


def _sweep(operators: Layout) -> None:
    """Remove what killed trials have left."""
    for home in operators.home.parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), open(home / LOCK, encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(beside(operators, home.name.removeprefix(PREFIX)))


def _remove(layout: Layout) -> None:
    for identity in {summary.identity for summary in bottles.list_states(layout)}:
        discard(layout, identity)  # gives its uids back
    _end_daemon(layout)
    for path in (layout.shared, layout.run, layout.home):  # the lock's directory last
        for problem in remove_tree(path):
            messages.warning(f"left behind by the trial: {problem}")
    for path in set(find_groups(layout.run.name).parents.values()):
        with contextlib.suppress(OSError):  # not there
            path.rmdir()


def _end_daemon(layout: Layout) -> None:
    """By its pidfd: a number that is used again is never signalled."""
    if not os.path.lexists(layout.daemon_socket):
        return
    try:
        client = DaemonClient.connect(layout)
        if client is None:
            return
        with client:
            pidfd = os.pidfd_open(client.status().pid)
    except (DaemonError, OSError) as error:
        messages.warning(f"the trial's daemon ends by itself in a minute: {error}")
        return
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        select.select([pidfd], [], [], DAEMON_END_S)
    finally:
        os.close(pidfd)


def private(path: Path) -> Path:
    """Make a directory for the harness alone."""
    path.mkdir(mode=0o700, parents=True)
    return path
