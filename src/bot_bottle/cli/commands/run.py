"""``run``: a program or an agent in a fresh bottle; never asks, exits with the program's status (ruling 60)."""

from __future__ import annotations

import os
from typing import Any

import click

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError
from bot_bottle.cli import options
from bot_bottle.cli.errors import Exit, lack_of_host
from bot_bottle.ipc.client import wake
from bot_bottle.store.layout import default_layout

NO_BOTTLE = 125
"""As docker has it: the status of "no bottle could be made", apart from any of the program's own."""


@click.command(
    "run",
    short_help="run a program or an agent in a fresh bottle; never asks",
    context_settings={"allow_interspersed_args": False},
)
@click.option(
    "--provider",
    metavar="P",
    help="The coding agent to run: claude, codex or pi. Default: the bottle's, else a command.",
)
@click.option(
    "-p", "--prompt", "task", metavar="TEXT", help="The agent's task; it works without a terminal and ends."
)
@click.option("--agent", metavar="A", help="An agent of your manifest.")
@click.option(
    "--bottle", "bottles", metavar="B", multiple=True, help="A bottle of your manifest; repeat to compose."
)
@options.routes
@click.option(
    "--cwd", "copy_cwd", is_flag=True, help="Copy the current directory into the bottle's workspace."
)
@click.option(
    "--env", "env", metavar="K=V", multiple=True, help="A variable for the agent; it will see the value."
)
@click.option("--trust-project", is_flag=True, help="Accept the bottle that a project's agent file names.")
@click.option("--backend", metavar="N", help="The sandbox to use: bubblewrap.")
@options.raw_terminal
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output at the end; the "
              "program's output goes to standard error.")  # fmt: skip
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
def command(
    provider: str | None, task: str | None, agent: str | None, bottles: tuple[str, ...], copy_cwd: bool,
    env: tuple[str, ...], trust_project: bool, backend: str | None, raw_terminal: bool, as_json: bool,
    argv: tuple[str, ...], **routes: Any,
) -> None:  # fmt: skip
    """Run ARGV, or an agent, in a fresh bottle and exit with its status.

    128+n stands for signal n, 125 for "no bottle could be made". Nothing leaves the bottle but what the
    routes allow: --allow, --auth, --routes, and those of a --bottle.

    \b
      bot-bottle run -- python3 script.py
      bot-bottle run --cwd --provider claude -p "fix the tests"
      bot-bottle run --auth api.example.com=Bearer:MY_TOKEN -- curl https://api.example.com/me
    """
    if not (argv or provider or agent or bottles):
        raise click.UsageError(
            "nothing to run: give a program behind '--', or --provider, --agent or --bottle"
        )
    layout = default_layout()
    if not (agent or bottles):  # else the manifest is read first: where there is none, nothing is made
        wake(layout)
    # What follows takes longer to import than the daemon takes to start.
    from bot_bottle.cli import records
    from bot_bottle.cli.launching import carry_out, install, make_ready
    from bot_bottle.launch.relay import Console
    from bot_bottle.launch.request import LaunchRequest
    from bot_bottle.launch.watching import Stopped

    plan = options.run_plan(argv=argv, task=task or "", env=env, **routes)
    request = LaunchRequest(
        agent=agent or "",
        bottles=bottles,
        template=provider or ("command" if not (agent or bottles) else ""),
        cwd=os.getcwd(),
        copy_cwd=copy_cwd,
        backend=backend or "",
        trust_project=trust_project,
        run=plan,
    )
    console = Console(stdout=2, raw=raw_terminal) if as_json else Console(raw=raw_terminal)
    try:
        ready = make_ready(request, layout)
        for note in ready.prepared.plan.notes:
            messages.info(note)
        install(ready)
        outcome = carry_out(ready, layout, console)
    except Stopped as stopped:
        raise Exit(128 + stopped.signal) from None
    except (BotBottleError, OSError) as error:
        said = str(error) if isinstance(error, BotBottleError) else lack_of_host(error)
        if said is None:
            raise
        messages.error(said)
        if as_json:
            records.show(records.RunFailure(error=said, status=NO_BOTTLE))
        raise Exit(NO_BOTTLE) from error
    if as_json:
        records.show(
            records.RunRecord(
                identity=outcome.identity,
                status=outcome.status,
                preserved=outcome.preserved,
                leftovers=outcome.leftovers.count,
                directory=str(outcome.directory) if outcome.preserved else None,
            )
        )
    raise Exit(outcome.status)
