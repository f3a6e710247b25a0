"""``exec``: a command in a running bottle, confined as everything in it is."""

from __future__ import annotations

import click

from bot_bottle.cli import inside
from bot_bottle.cli.errors import Exit
from bot_bottle.launch.relay import Console


@click.command(
    "exec",
    short_help="run a command in a running bottle",
    context_settings={"allow_interspersed_args": False},
)
@click.argument("identity")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("-T", "--no-terminal", is_flag=True, help="Use pipes even where a terminal is there.")
@click.option("--raw-terminal", is_flag=True, help="Show output unfiltered: it may drive your terminal.")
def command(identity: str, argv: tuple[str, ...], no_terminal: bool, raw_terminal: bool) -> None:
    """Run ARGV in the bottle IDENTITY as its user; exits with its status (128+n for a signal).

    Example: bot-bottle exec dev-abc12 -- ls -la
    """
    if argv[0] == "--":
        argv = argv[1:]
    if not argv:
        raise click.UsageError("which command? give it behind '--'")
    console = Console(raw=raw_terminal)
    raise Exit(inside.run(identity, argv, console, terminal=console.interactive() and not no_terminal))
