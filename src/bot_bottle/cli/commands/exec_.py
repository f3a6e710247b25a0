"""``exec``: a command in a running bottle, confined as everything in it is."""

from __future__ import annotations

import click

from bot_bottle.base import messages
from bot_bottle.base.ids import parse_identity
from bot_bottle.cli.backends import make_backend
from bot_bottle.cli.errors import Exit
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.relay import Console, Relay
from bot_bottle.sandbox.contract import ProgramNotStarted
from bot_bottle.store import bottles
from bot_bottle.store.layout import default_layout


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
    layout = default_layout()
    summary = bottles.find_state(layout, parse_identity(identity))
    if summary is None or not summary.running:
        raise LaunchError(f"no bottle {identity!r} is running: see 'bot-bottle list active'")
    backend = make_backend(layout, summary.launch.backend if summary.launch else None)
    console = Console(raw=raw_terminal)
    terminal = console.interactive() and not no_terminal
    bottle = backend.attach(layout.exec_socket(identity))
    try:
        process = bottle.spawn(argv, terminal=console.size() if terminal else None)
    except ProgramNotStarted as error:
        messages.error(str(error))
        raise Exit(error.status) from error
    raise Exit(Relay(process, console, terminal=terminal).run())
