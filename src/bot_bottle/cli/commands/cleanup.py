"""``cleanup``: remove what killed launches and ended bottles left; never what still holds work."""

from __future__ import annotations

import os

import click

from bot_bottle.base import messages
from bot_bottle.cli import completion
from bot_bottle.cli.backends import all_backends
from bot_bottle.cli.preflight import confirm
from bot_bottle.launch.plan import LaunchError
from bot_bottle.launch.reap import discard, recover, revoke_keys
from bot_bottle.manifest.settings import load_settings
from bot_bottle.store import bottles, endings
from bot_bottle.store.deploy_keys import described, has_deploy_keys
from bot_bottle.store.layout import default_layout


@click.command("cleanup", short_help="remove what killed launches and ended bottles left")
@click.argument("identities", metavar="[IDENTITY]...", nargs=-1, shell_complete=completion.kept)
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--kept", is_flag=True, help="Remove kept bottles too: their work is lost.")
def command(identities: tuple[str, ...], yes: bool, dry_run: bool, kept: bool) -> None:
    """Remove processes, sockets and state directories of launches that are gone, and old logs
    (30 days; setting ``logs_days``), and forget how bottles ended.

    A bottle that runs is never touched. One that is kept, since it holds work, is removed only with --kept,
    or when IDENTITY names it; then nothing else is.

    Deploy keys that dead bottles left at a forge are revoked, with the token that the variable named in
    key.token_ref holds here; a bottle whose keys can't be revoked is kept, and the keys are named.
    """
    layout = default_layout()
    summaries = [s for s in bottles.list_states(layout) if not s.running]
    unknown = sorted(set(identities) - {s.identity for s in summaries})
    if unknown:
        raise LaunchError(
            f"no kept bottle is called {', '.join(map(repr, unknown))}: see 'bot-bottle list kept'"
        )
    kept = kept or bool(identities)
    if identities:
        summaries = [s for s in summaries if s.identity in identities]
    keyed = {s.identity: described(s.path) for s in summaries if has_deploy_keys(s.path)}
    doomed = [s.identity for s in summaries if kept or not os.path.lexists(s.path / bottles.PRESERVE_NAME)]
    orphans = [] if identities else [name for name in bottles.orphans(layout) if name not in doomed]
    for identity in doomed:
        messages.info(f"to be removed: {identity}")
    for identity in orphans:
        messages.info(f"to be removed: {identity} (remains without a state directory)")
    for identity, keys in keyed.items():
        messages.info(f"to be revoked: deploy keys of {identity}: {keys}")
    for identity in [s.identity for s in summaries if s.identity not in doomed]:
        messages.info(
            f"kept, since it holds work: {identity} (bot-bottle resume {identity}, or cleanup {identity})"
        )
    if dry_run:
        return
    if (doomed or orphans or keyed) and not yes:
        confirm("remove these?")
    stays = [identity for identity in keyed if not revoke_keys(layout, identity, os.environ)]
    doomed = [identity for identity in doomed if identity not in stays]
    backends = all_backends(layout)
    for ending in endings.read_all(layout):
        if not identities or ending.identity in identities:
            endings.forget(layout, ending.identity)
    recover(layout, backends, keep_logs_days=load_settings(layout.home.parent).logs_days)
    if kept:
        for summary in bottles.list_states(layout):
            if summary.identity in doomed and not summary.running:
                discard(layout, summary.identity)
    messages.info(f"removed the remains of {len(doomed) + len(orphans)} bottles")
