"""``attach``: this terminal onto a bottle that runs without one; or what one said that has ended meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bot_bottle.base import messages
from bot_bottle.base.ids import parse_identity
from bot_bottle.base.text import printable
from bot_bottle.cli import attached, options
from bot_bottle.cli.errors import USAGE, Exit
from bot_bottle.ipc import attach
from bot_bottle.launch.attach_client import Client
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.relay import Console
from bot_bottle.launch.screen import KEPT_BYTES
from bot_bottle.launch.terminal import as_text
from bot_bottle.store import bottles, endings
from bot_bottle.store.endings import Ending
from bot_bottle.store.layout import Layout, default_layout

CONNECT_S = 5.0


@click.command("attach", short_help="show a running bottle in this terminal")
@click.argument("identity")
@click.option("--read-only", is_flag=True, help="Only look on; q or Ctrl-C leaves.")
@options.detach_keys
@click.option("--exit-status", is_flag=True, help="Exit with the agent's status instead of 0.")
@options.raw_terminal
def command(
    identity: str, read_only: bool, detach_keys: bytes, exit_status: bool, raw_terminal: bool
) -> None:
    """Show the agent of the bottle IDENTITY in this terminal, and type to it.

    Whoever was attached before is let go, unless this is --read-only. The detach keys, or closing the terminal,
    leave the bottle running. Of a bottle that ended while nobody looked, the end is shown.
    """
    layout = default_layout()
    parse_identity(identity)
    if not bottles.is_running(layout, identity):
        raise Exit(_show_ending(layout, identity, exit_status=exit_status))
    console = Console(raw=raw_terminal)
    if not console.interactive():
        messages.error("there is no terminal to attach: see 'bot-bottle logs', or 'bot-bottle exec'")
        raise Exit(USAGE)
    try:
        sock = attach.connect(str(layout.tty_socket(identity)), CONNECT_S)
    except OSError as error:
        raise LaunchError(
            f"no terminal can be attached to {identity!r} ({error.strerror or error}): it runs in the foreground "
            "of the terminal that it was started in"
        ) from error
    if attach.peer_uid(sock) != os.geteuid():
        sock.close()
        raise LaunchError(f"{str(layout.tty_socket(identity))!r} is served by another user: remove it")
    parting = Client(sock, console, detach_keys, attached.say, read_only=read_only).run()
    raise Exit(attached.report(parting, layout, exit_status=exit_status))


def _show_ending(layout: Layout, identity: str, *, exit_status: bool) -> int:
    ending = endings.read(layout, identity)
    if ending is None:
        kept = bottles.is_preserved(layout, identity)
        fix = (
            f"start it again with 'bot-bottle resume {identity}'" if kept else "see 'bot-bottle list active'"
        )
        raise LaunchError(f"no bottle {identity!r} is running: {fix}")
    messages.info(
        f"{identity} ended at {printable(ending.ended_at)}, and nobody was attached; its last words:"
    )
    _show_screen(ending)
    for line in ending.said:
        attached.say(printable(line))
    endings.forget(layout, identity)
    return ending.status if exit_status and ending.status is not None else ending.exit_status


def _show_screen(ending: Ending) -> None:
    """What it printed, on standard output; through the filter again, whatever the file holds."""
    try:
        with Path(ending.screen).open("rb") as file:
            data = file.read(KEPT_BYTES)
    except OSError:
        return
    click.echo(as_text(data))
