"""``init``: an agent and a bottle for somebody who has none, by line questions or by flags."""

from __future__ import annotations

import click

from bot_bottle.base import messages
from bot_bottle.cli import completion
from bot_bottle.cli.asking import asking
from bot_bottle.cli.errors import FIXABLE, Exit
from bot_bottle.cli.newcomer import Dialogue, Flags
from bot_bottle.manifest.problems import agent_problems
from bot_bottle.manifest.source import resolve
from bot_bottle.store.layout import default_layout


@click.command("init", short_help="make a first agent and bottle, asking for what they need")
@click.argument("name", required=False)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.option("--name", "name_flag", metavar="NAME", help="The agent's name, where it does not stand first.")
@click.option(
    "--bottle",
    metavar="B",
    shell_complete=completion.bottles,
    help="The agent's bottle: one that is there, or the name of a new one.",
)
@click.option("--provider", metavar="P", help="The coding agent of a new bottle: claude, codex, pi, command.")
@click.option(
    "--auth-token",
    metavar="ENV",
    help="The name of the variable with the provider's credential; never the value.",
)
@click.option("--host-login", is_flag=True, help="codex: use the login that 'codex login' made on this host.")
@click.option(
    "--allow", metavar="HOST", multiple=True, help="A host that a new bottle may reach; '' for none."
)
@click.option(
    "--skill", "skills", metavar="S", multiple=True, help="A directory of ~/.claude/skills; '' for none."
)
@click.option("-p", "--prompt", metavar="TEXT", help="What the agent is told at its start.")
def command(
    name: str | None, argv: tuple[str, ...], name_flag: str | None, bottle: str | None, provider: str | None,
    auth_token: str | None, host_login: bool, allow: tuple[str, ...], skills: tuple[str, ...],
    prompt: str | None,
) -> None:  # fmt: skip
    """Make the agent NAME in ~/.bot-bottle/agents/NAME.md, and its bottle in ~/.bot-bottle/bottles where it names
    a new one. What no flag answers is asked; nothing that exists is written over.

    \b
      bot-bottle init
      bot-bottle init fixer --bottle dev --provider claude --prompt "You fix failing tests."
      bot-bottle init tester --bottle shell --provider command --prompt "" -- sh -c "make test"
    """
    if name_flag and name:
        argv = (name, *argv)
    flags = Flags(
        name_flag or name, bottle, provider, auth_token, host_login=host_login, allow=allow, skills=skills,
        prompt=prompt, argv=argv,
    )  # fmt: skip
    layout = default_layout()
    index = resolve(layout.home.parent, None, missing_ok=True)
    with asking() as asker:
        plan = Dialogue(flags, index, layout, asker).ask()
    for path in plan.write(layout):
        messages.info(f"wrote {path}")
    problems = agent_problems(resolve(layout.home.parent, None), plan.agent)
    for problem in problems:
        messages.error(str(problem))
    if problems:
        raise Exit(FIXABLE)
    for line in plan.what_next():
        messages.info(line)
