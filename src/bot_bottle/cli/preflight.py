"""What a person sees before a launch, and the question."""

from __future__ import annotations

import click

from bot_bottle.base import messages
from bot_bottle.base.text import printable
from bot_bottle.cli.asking import asking, missing
from bot_bottle.cli.errors import FIXABLE, Exit
from bot_bottle.cli.launching import Ready

NOT_YET = "not in this version: approvals (supervise), budgets"
"""Said before every start (ruling 50): what a reader of the spec might take for granted."""


def show(ready: Ready) -> None:
    """The summary on standard error: the effective manifest, the whole policy, what the agent can see."""
    from bot_bottle.manifest.render import preflight

    prepared = ready.prepared
    plan = prepared.plan
    lines = [""]
    if prepared.loaded is not None:
        lines += preflight(prepared.loaded).splitlines()
    lines.append("# all hosts that can be reached:")
    for route in plan.policy.routes:
        credential = ", with a credential of yours" if route.auth else ""
        owner = f" ({route.provider})" if route.provider else ""
        lines.append(f"#   {route.host}{owner}{credential}")
    if not plan.policy.routes:
        lines.append("#   none")
    if plan.gate is not None:
        lines.append("# repositories that the git gate serves:")
        lines += [f"#   {line}" for line in plan.gate.lines]
    for connect in plan.connect_to:
        lines.append(
            f"# connections for {connect.host}:{connect.port} go to {connect.address}:{connect.to_port}"
        )
    for path in plan.extra_ca:
        lines.append(f"# upstream certificates may also come from {path}")
    if plan.pending is not None:
        lines.append(f"# to be installed first, once: {plan.pending.what}")
    for mount in plan.mounts:
        lines.append(f"# seen read-only: {mount.source}")
    for note in (*plan.notes, NOT_YET):
        lines.append(f"# note: {note}")
    for line in lines:
        click.echo(printable(line), err=True)


def confirm(question: str = "start?", flag: str = "--yes") -> None:
    """Ask y/N on the terminal; exit 1 unless the answer is yes, 2 where there is nobody to ask (ruling 64)."""
    with asking() as asker:
        if asker is None:
            raise missing(question, flag)
        yes = asker.yes(question)
    if not yes:
        messages.info("declined; nothing was done")
        raise Exit(FIXABLE)
