"""``start``: an agent of the manifest in a bottle, after a look at what it may do."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bot_bottle.cli import completion, options
from bot_bottle.cli.asking import asking
from bot_bottle.cli.commands import resume
from bot_bottle.cli.dashes import Dashed
from bot_bottle.cli.detached import conduct
from bot_bottle.cli.errors import Exit
from bot_bottle.cli.launching import make_ready
from bot_bottle.cli.preflight import confirm, show
from bot_bottle.cli.questions import NO_COLOR, Given, Questions, read_index
from bot_bottle.launch.request import LaunchRequest
from bot_bottle.store.layout import default_layout

COLORS = ("red", "green", "yellow", "blue", "magenta")


@click.command("start", cls=Dashed, short_help="start an agent of your manifest in a bottle")
@click.argument("agent", required=False, shell_complete=completion.agents)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "-a",
    "--agent",
    "agent_flag",
    metavar="A",
    shell_complete=completion.agents,
    help="The agent, where it does not stand first.",
)
@click.option("--bottle", "bottle_names", metavar="B", multiple=True, shell_complete=completion.bottles,
              help="A bottle; repeat to compose, in order. Default: the agent's own.")  # fmt: skip
@click.option("--label", metavar="L", help="A name of yours; it becomes the bottle's identity.")
@click.option(
    "--color",
    type=click.Choice((*COLORS, NO_COLOR)),
    help="The bottle's colour in lists and in the agent's theme.",
)
@click.option(
    "--cwd", "copy_cwd", is_flag=True, help="Copy the current directory into the bottle's workspace."
)
@click.option("-p", "--prompt", "task", metavar="TEXT", help="Run headless with this task.")
@click.option("--yes", is_flag=True, help="Ask nothing: the agent's own bottle, no label, start.")
@click.option(
    "--dry-run", is_flag=True, envvar="BOT_BOTTLE_DRY_RUN", help="Show what would be started, and end."
)
@options.detach
@options.detach_keys
@click.option("--exit-status", is_flag=True, help="Exit with the agent's status instead of 0.")
@click.option("--trust-project", is_flag=True, help="Accept the bottle that a project's agent file names.")
@click.option("--backend", metavar="N", help="The sandbox to use: bubblewrap.")
@options.connections
@options.raw_terminal
def command(
    agent: str | None, argv: tuple[str, ...], agent_flag: str | None, bottle_names: tuple[str, ...],
    label: str | None, color: str | None, copy_cwd: bool, task: str | None, yes: bool, dry_run: bool,
    detach: bool, detach_keys: bytes, exit_status: bool, trust_project: bool, backend: str | None,
    connect_to: tuple[str, ...], extra_ca: tuple[str, ...], raw_terminal: bool,
) -> None:  # fmt: skip
    """Start AGENT in a bottle; what stands behind -- is appended to its command line.

    Asks on the terminal for what no flag answers: the agent, its bottles in order, a name and a colour. Then
    shows what the bottle may do, asks once more, runs the agent in this terminal, and says at the end what it
    left. Without a terminal nothing is asked: the agent must be named, its bottle is the one that its own file
    names, and --yes is needed.
    """
    if agent and agent_flag:
        raise click.UsageError(
            f"two agents: {agent!r} and --agent {agent_flag!r}: put its arguments behind '--'"
        )
    layout = default_layout()
    given = Given(
        agent_flag or agent, bottle_names, label, "" if color == NO_COLOR else color,
        quiet=yes, named=not dry_run, trust_project=trust_project,
    )  # fmt: skip
    with asking() as asker:
        answers = Questions(given, read_index(layout, Path.cwd()), layout, asker).answer()
    if answers.resume:
        context = click.get_current_context()
        context.invoke(resume.command, identity=answers.resume, task=task, exit_status=exit_status,
                       raw_terminal=raw_terminal, detach=detach, detach_keys=detach_keys,
                       trust_project=trust_project)  # fmt: skip
        return
    request = LaunchRequest(
        agent=answers.agent,
        bottles=answers.bottles,
        cwd=os.getcwd(),
        copy_cwd=copy_cwd,
        label=answers.label,
        color=answers.color,
        backend=backend or "",
        trust_project=trust_project,
        run=options.run_plan(argv=argv, task=task or "", connect_to=connect_to, extra_ca=extra_ca),
    )
    ready = make_ready(request, layout, answers.identity)
    show(ready)
    if dry_run:
        return
    if not yes:
        confirm()
    raise Exit(
        conduct(ready, layout, headless=bool(task), raw=raw_terminal, detach=detach, keys=detach_keys,
                exit_status=exit_status)
    )  # fmt: skip
