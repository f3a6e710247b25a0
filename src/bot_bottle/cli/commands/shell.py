"""``shell``: a shell in a running bottle, beside its agent, confined as everything in it is."""

from __future__ import annotations

import click

from bot_bottle.cli import inside, options
from bot_bottle.cli.errors import Exit
from bot_bottle.launch.relay import Console

SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash; exec sh")
"""bash where the bottle has it."""


@click.command("shell", short_help="open a shell in a running bottle")
@click.argument("identity")
@options.raw_terminal
def command(identity: str, raw_terminal: bool) -> None:
    """Open a shell in the bottle IDENTITY, as its user; exits with the shell's status.

    It ends with 'exit' or Ctrl-D, and with this terminal; the agent is not touched.
    """
    console = Console(raw=raw_terminal)
    raise Exit(inside.run(identity, SHELL, console, terminal=console.interactive()))
