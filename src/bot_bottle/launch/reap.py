"""What is left when a launching process was killed, and its removal. Idempotent; never touches a live launch.

Processes end by themselves (the sandbox dies with its launcher, the sidecar with its control socket); this
makes sure, and removes what has no process: control groups, sockets, state without work in it. A state
directory in which an agent was started carries the preserve marker since before that start and is kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from bot_bottle.base import messages
from bot_bottle.sandbox.contract import Backend
from bot_bottle.store import bottles
from bot_bottle.store.layout import Layout
from bot_bottle.store.logs import KEEP_DAYS, prune
from bot_bottle.store.removal import remove_tree

LOCK_WAIT_S = 5.0
"""A killed process's sockets may be seen closed a moment before its lock is."""


def reap(layout: Layout, identity: str, backends: Mapping[str, Backend]) -> bool:
    """Clear up after the launch of *identity*; True when something of it is kept for ``resume``.

    Does nothing (and returns True) while a launch owns the state directory.
    """
    deadline = time.monotonic() + LOCK_WAIT_S
    while bottles.is_running(layout, identity):
        if time.monotonic() >= deadline:
            return True
        time.sleep(0.02)
    for backend in backends.values():
        backend.reap(identity)
    remove_tree(layout.sockets(identity))
    remove_tree(layout.exec_socket(identity))
    if bottles.is_preserved(layout, identity):
        return True
    discard(layout, identity)
    return False


def discard(layout: Layout, identity: str) -> tuple[str, ...]:
    """Delete a bottle's state, uids included. Returns what could not be deleted; () too when a start won."""
    try:
        problems = bottles.remove(layout, identity)
    except bottles.BottleRunning:
        return ()
    for problem in problems:
        messages.warning(f"could not be removed: {problem}")
    return problems


def recover(
    layout: Layout, backends: Mapping[str, Backend], *, keep_logs_days: float = KEEP_DAYS
) -> tuple[str, ...]:
    """Reap every launch whose launching process is gone, and old logs; identities that are kept.

    Called when the daemon starts and by ``cleanup``: a launcher and the daemon may have died together.
    """
    kept = []
    for summary in bottles.list_states(layout):
        if not summary.running and reap(layout, summary.identity, backends):
            kept.append(summary.identity)
    for identity in bottles.orphans(layout):
        discard(layout, identity)
    bottles.sweep(layout)
    prune(layout, keep_days=keep_logs_days)
    return tuple(kept)
