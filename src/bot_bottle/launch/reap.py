"""What is left when a launching process was killed, and its removal. Idempotent; never touches a live launch.

Processes end by themselves (the sandbox dies with its launcher, the sidecar with its control socket); this
makes sure, and removes what has no process: control groups, sockets, state without work in it. A state
directory in which an agent was started carries the preserve marker since before that start and is kept; so is
one that names deploy keys which nobody has revoked: who reaps has no token for a forge.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from bot_bottle.base import messages
from bot_bottle.sandbox.contract import Backend
from bot_bottle.store import bottles
from bot_bottle.store.deploy_keys import has_deploy_keys
from bot_bottle.store.layout import Layout
from bot_bottle.store.logs import KEEP_DAYS, prune
from bot_bottle.store.removal import remove_tree

LOCK_WAIT_S = 5.0
"""A killed process's sockets may be seen closed a moment before its lock is."""


def reap(layout: Layout, identity: str, backends: Mapping[str, Backend]) -> bool:
    """Clear up after the launch of *identity*; True when something of it is kept for ``resume``.

    Does nothing (and returns True) while a launch owns the state directory.
    """
    try:
        state = _take(layout, identity)
    except bottles.BottleRunning:
        return True
    if state is None:  # remains without a state directory
        _clear(layout, identity, backends)
        discard(layout, identity, spare_kept=True)
        return False
    with state:  # held, so that no resume begins in the middle
        _clear(layout, identity, backends)
        if state.is_preserved():
            if has_deploy_keys(state.path):
                messages.warning(_keyed(identity))
            return True
        _warn(state.remove())
    return False


def _keyed(identity: str) -> str:
    return (
        f"{identity} is kept until its deploy keys are revoked: 'bot-bottle cleanup' does that, with the forge's "
        "token in its environment"
    )


def _take(layout: Layout, identity: str) -> bottles.BottleState | None:
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return bottles.open_for_resume(layout, identity)
        except bottles.NoSuchBottle:
            return None
        except bottles.BottleRunning:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _clear(layout: Layout, identity: str, backends: Mapping[str, Backend]) -> None:
    for backend in backends.values():
        backend.reap(identity)
    remove_tree(layout.sockets(identity))
    remove_tree(layout.exec_socket(identity))
    for path in layout.tty_sockets(identity):
        remove_tree(path)


def revoke_keys(layout: Layout, identity: str, environ: Mapping[str, str]) -> bool:
    """Revoke what a dead bottle has registered at forges, with tokens of *environ*. True: nothing is left; what
    is left was said. A bottle that runs is not touched (True: its launch revokes)."""
    if not has_deploy_keys(layout.state(identity)):
        return True
    try:
        state = bottles.open_for_resume(layout, identity)
    except (bottles.NoSuchBottle, bottles.BottleRunning):
        return True
    from bot_bottle.launch.deploy_keys import revoke_recorded, tokens_of  # an HTTP client, for few only

    with state:
        return revoke_recorded(state.path, tokens_of(environ))


def discard(layout: Layout, identity: str, *, spare_kept: bool = False) -> tuple[str, ...]:
    """Delete a bottle's state, uids included. Returns what could not be deleted; () too when a start won,
    or (with *spare_kept*) when there is work in it by now."""
    try:
        problems = bottles.remove(layout, identity, spare_kept=spare_kept)
    except (bottles.BottleRunning, bottles.BottleKept):
        return ()
    return _warn(problems)


def remove_kept(
    layout: Layout, identity: str, backends: Mapping[str, Backend], *, still: Callable[[], bool]
) -> bool:
    """Delete a kept bottle with the work in it. *still* is asked under the bottle's lock whether it is as the
    caller saw it: somebody may have resumed it since. False: it stays, as one does whose deploy keys are not
    revoked: nobody could find them any more."""
    try:
        state = bottles.open_for_resume(layout, identity)
    except (bottles.NoSuchBottle, bottles.BottleRunning):
        return False
    with state:
        if not still():
            return False
        if has_deploy_keys(state.path):
            messages.warning(_keyed(identity))
            return False
        _clear(layout, identity, backends)
        _warn(state.remove())
        with suppress(OSError):  # how it ended: that offers to resume what is gone
            layout.ending(identity).unlink()
    return True


def _warn(problems: tuple[str, ...]) -> tuple[str, ...]:
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
        discard(layout, identity, spare_kept=True)
    bottles.sweep(layout)
    prune(layout, keep_days=keep_logs_days)
    return tuple(kept)
