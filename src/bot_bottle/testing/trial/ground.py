"""Where a trial lives: a state root of its own beside the operator's, of the same kind, gone at the end.

Beside it, because bottles behave as the file systems do that they lie on; its own, so that nothing of the
operator's is touched and all of it can be removed.
"""

from __future__ import annotations

import contextlib
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

DAEMON_END_S = 5.0
"""From SIGTERM to its end: 0.1 s without bottles."""


def beside(operators: Layout) -> Layout:
    """A fresh state root next to the operator's."""
    key = secrets.token_hex(4)
    home = operators.home.with_name(f".bot-bottle-try-{key}")
    shared = home if operators.shared == operators.home else operators.shared.with_name(key)
    return Layout(home, shared, operators.run.with_name(key))


@contextlib.contextmanager
def ground(operators: Layout) -> Iterator[Layout]:
    """The state root for the time of a trial; every process and directory of it is gone afterwards."""
    layout = beside(operators)
    parents = [path for path in {layout.shared.parent, layout.run.parent} if not path.exists()]
    try:
        yield layout
    finally:
        for identity in {summary.identity for summary in bottles.list_states(layout)}:
            discard(layout, identity)  # gives its uids back
        _end_daemon(layout)
        problems = [
            problem for path in (layout.home, layout.shared, layout.run) for problem in remove_tree(path)
        ]
        for problem in problems:
            messages.warning(f"left behind by the trial: {problem}")
        for path in [*parents, *set(find_groups(layout.run.name).parents.values())]:
            with contextlib.suppress(OSError):  # not there, or in use by others
                os.rmdir(path)


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
