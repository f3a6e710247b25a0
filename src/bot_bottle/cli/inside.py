"""A program in a running bottle, with this terminal (or these pipes) as its own: what ``exec`` and ``shell`` share."""

from __future__ import annotations

from collections.abc import Sequence

from bot_bottle.base import messages
from bot_bottle.base.ids import parse_identity
from bot_bottle.cli.backends import make_backend
from bot_bottle.cli.errors import Exit
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.relay import Console, Relay
from bot_bottle.sandbox.contract import ProgramNotStarted
from bot_bottle.store import bottles
from bot_bottle.store.layout import default_layout


def run(identity: str, argv: Sequence[str], console: Console, *, terminal: bool) -> int:
    """Run *argv* in the bottle *identity* as its user; its exit status (128+n for a signal)."""
    layout = default_layout()
    summary = bottles.find_state(layout, parse_identity(identity))
    if summary is None or not summary.running:
        raise LaunchError(f"no bottle {identity!r} is running: see 'bot-bottle list active'")
    backend = make_backend(layout, summary.launch.backend if summary.launch else None)
    bottle = backend.attach(layout.exec_socket(identity))
    try:
        process = bottle.spawn(argv, terminal=console.size() if terminal else None)
    except ProgramNotStarted as error:
        messages.error(str(error))
        raise Exit(error.status) from error
    return Relay(process, console, terminal=terminal).run()
