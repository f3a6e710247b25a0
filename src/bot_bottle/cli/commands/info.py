"""``info``: what an agent would get, out of its files alone; nothing is started, no credential is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bot_bottle.cli import completion, records
from bot_bottle.store.layout import default_layout


@click.command("info", short_help="show an agent: its bottle, provider, prompt, skills and hosts")
@click.argument("agent", shell_complete=completion.agents)
@click.option(
    "--bottle",
    "bottle_names",
    metavar="B",
    multiple=True,
    shell_complete=completion.bottles,
    help="With this bottle instead of the agent's own; repeat to compose, in order.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(agent: str, bottle_names: tuple[str, ...], as_json: bool) -> None:
    """Show AGENT on standard output: the file that it comes from, provider, names of variables, skills, the
    length and first line of its prompt, bottles, git identity and upstreams, hosts.
    """
    from bot_bottle.manifest.load import load
    from bot_bottle.manifest.render import info_lines
    from bot_bottle.manifest.source import resolve

    index = resolve(default_layout().home.parent, Path.cwd())
    loaded = load(index, agent, bottle_names, trust_project=True)  # nothing is launched
    if as_json:
        records.show(_record(loaded))
        return
    for line in info_lines(loaded):
        click.echo(line)


def _record(loaded: Any) -> records.InfoRecord:
    agent, bottle = loaded.agent, loaded.bottle
    return records.InfoRecord(
        agent=agent.name,
        file=agent.source.file if agent.source else "",
        origin=agent.source.origin.value if agent.source else "",
        shadows=agent.source.shadows if agent.source else None,
        provider=bottle.agent_provider.template,
        env=sorted(bottle.env),
        skills=list(agent.skills),
        prompt=agent.prompt,
        bottles=list(loaded.bottle_names),
        git_user=bottle.git_user.name,
        git_email=bottle.git_user.email,
        git_upstreams={name: repo.upstream.written for name, repo in bottle.repos.items()},
        hosts=[route.host or f"preset {route.preset}" for route in bottle.egress.routes],
    )
