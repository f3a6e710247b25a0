"""``resume``: a preserved bottle again, with its files, under the policy as it is now."""

from __future__ import annotations

import click

from bot_bottle.base.ids import parse_identity
from bot_bottle.cli import completion, options
from bot_bottle.cli.asking import asking
from bot_bottle.cli.dashes import Dashed
from bot_bottle.cli.detached import conduct
from bot_bottle.cli.errors import Exit
from bot_bottle.cli.kept import pick_kept
from bot_bottle.cli.launching import Ready, make_ready
from bot_bottle.cli.preflight import confirm, show
from bot_bottle.cli.trust import confirm_agent
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.request import of_record
from bot_bottle.store import bottles
from bot_bottle.store.layout import Layout, default_layout


@click.command("resume", cls=Dashed, short_help="start a preserved bottle again")
@click.argument("identity", required=False, shell_complete=completion.kept)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.option("-p", "--prompt", "task", metavar="TEXT", help="Run headless with this new task.")
@click.option("--yes", is_flag=True, help="Start without asking.")
@click.option("--dry-run", is_flag=True, help="Show what would be started, and end.")
@options.detach
@options.detach_keys
@click.option(
    "--trust-project",
    is_flag=True,
    help="Accept a project's agent file that has changed and takes the place of yours.",
)
@click.option("--exit-status", is_flag=True, help="Exit with the agent's status instead of 0.")
@options.raw_terminal
def command(
    identity: str | None,
    argv: tuple[str, ...],
    task: str | None,
    yes: bool,
    dry_run: bool,
    detach: bool,
    detach_keys: bytes,
    trust_project: bool,
    exit_status: bool,
    raw_terminal: bool,
) -> None:
    """Start the bottle IDENTITY again with everything that its agent left in it; without IDENTITY, choose one of
    those that are kept.

    On a terminal the bottle outlives it, as with 'start'. Manifests are read anew: what was taken away since
    is taken away. ARGV replaces the recorded command.
    """
    layout = default_layout()
    identity = identity or pick_kept(layout)
    state = bottles.open_for_resume(layout, parse_identity(identity))
    with state:
        metadata = state.metadata()
        if metadata is None:
            raise LaunchError(f"nothing readable is recorded in {str(state.path)!r}: start a new bottle")
        ready = make_ready(of_record(metadata, argv, task or ""), layout, identity)
        show(ready)
        if dry_run:
            return
        _confirm_agent(ready, layout, quiet=yes, trusted=trust_project)
        if not yes:
            confirm()
        raise Exit(
            conduct(
                ready, layout, state, headless=bool(task), raw=raw_terminal, detach=detach, keys=detach_keys,
                exit_status=exit_status,
            )
        )  # fmt: skip


def _confirm_agent(ready: Ready, layout: Layout, *, quiet: bool, trusted: bool) -> None:
    """The project's file may be another one than at the start."""
    source = ready.prepared.loaded.agent.source if ready.prepared.loaded else None
    if source is not None and source.shadows is not None:
        with asking() as asker:
            confirm_agent(
                layout, source.file, source.sha256, asker, quiet=quiet, trusted=trusted, remember=True
            )
