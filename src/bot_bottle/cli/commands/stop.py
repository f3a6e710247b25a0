"""``stop``: end a running bottle in good order."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import click

from bot_bottle.base import messages
from bot_bottle.base.ids import parse_identity
from bot_bottle.launch.plan import LaunchError
from bot_bottle.store import bottles
from bot_bottle.store.layout import default_layout

GRACE_S = 20.0
"""Ending a bottle takes well under a second; after this the launching process is killed, and reaped."""


@click.command("stop", short_help="stop a running bottle")
@click.argument("identity")
def command(identity: str) -> None:
    """Stop the bottle IDENTITY: its agent is ended, its work is kept for ``resume``."""
    layout = default_layout()
    summary = bottles.find_state(layout, parse_identity(identity))
    if summary is None or not summary.running:
        raise LaunchError(f"no bottle {identity!r} is running: see 'bot-bottle list active'")
    record = summary.launch
    if record is None or not record.launcher_is_alive():
        raise LaunchError(f"the launching process of {identity!r} is not known: run 'bot-bottle cleanup'")
    pidfd = os.pidfd_open(record.launcher_pid)
    try:
        if (
            not record.launcher_is_alive()
        ):  # between the look and the open the number may have been given away
            return
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not _wait_while(lambda: bottles.is_running(layout, identity)):
            messages.warning(f"{identity} did not end within {GRACE_S:g} s and is killed")
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            _wait_while(lambda: bottles.is_running(layout, identity))
    finally:
        os.close(pidfd)
    if bottles.is_preserved(layout, identity):
        messages.info(f"stopped; its work is kept: bot-bottle resume {identity}")
    else:
        messages.info("stopped")


def _wait_while(running: Callable[[], bool]) -> bool:
    """True when it ended within :data:`GRACE_S`."""
    deadline = time.monotonic() + GRACE_S
    while running():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True
