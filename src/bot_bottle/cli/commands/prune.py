"""``prune``: kept bottles and logs that nobody has used for long; what everything takes on the disk."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Any

import click

from bot_bottle.base import messages
from bot_bottle.base.text import printable
from bot_bottle.cli import records
from bot_bottle.cli.backends import all_backends
from bot_bottle.cli.preflight import confirm
from bot_bottle.launch.disk_use import DAY_S, Kept, directory_bytes, kept_bottles, last_used_s, shown
from bot_bottle.launch.reap import remove_kept
from bot_bottle.manifest.settings import load_settings
from bot_bottle.store import bottles, logs
from bot_bottle.store.layout import Layout, default_layout

MAX_DAYS = 3650


class _Days(click.FloatRange):
    """Any number but the one that is in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        days = float(super().convert(value, param, ctx))
        if math.isnan(days):
            self.fail(f"{value!r} is not a number of days", param, ctx)
        return days


@click.command("prune", short_help="remove kept bottles and logs that have rested for long; show disk use")
@click.option(
    "--days",
    type=_Days(0, MAX_DAYS),
    metavar="N",
    help="What nobody has used for N days. Default: settings kept_days and logs_days (30).",
)
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(days: float | None, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Show what kept bottles, logs and tools take on the disk, and remove the bottles and logs that nobody has
    used for some time. The work in a bottle that is removed is lost; 'bot-bottle list kept' shows them all.

    A bottle that runs is never touched, nor is one that was resumed meanwhile.
    """
    layout = default_layout()
    settings = load_settings(layout.home.parent)
    kept_days = settings.kept_days if days is None else days
    logs_days = settings.logs_days if days is None else days
    now_s = time.time()
    running = {state.identity for state in bottles.list_states(layout) if state.running}
    kept = kept_bottles(layout)
    old = [each for each in kept if each.rested(kept_days, now_s)]
    old_logs = logs.old(layout, keep_days=logs_days, now_s=now_s, spare=running)
    logs_bytes = directory_bytes(layout.home / "logs") or 0
    tools_bytes = directory_bytes(layout.tools)
    if not as_json:
        _show(kept, old, now_s)
        click.echo(f"logs\t{shown(logs_bytes)}\t{len(old_logs)} files of more than {logs_days:g} days")
        click.echo(f"tools\t{shown(tools_bytes)}\tstay; they are installed again when an agent needs them")
    removed: set[str] = set()
    if (old or old_logs) and not dry_run:
        if not yes:
            confirm(
                f"remove {_many(len(old), 'bottle')} with the work in them, and {_many(len(old_logs), 'log file')}?"
            )
        removed = _remove(layout, old)
        logs.prune(layout, keep_days=logs_days, now_s=now_s, spare=running)
    if as_json:
        going = {each.identity for each in old} if dry_run else removed
        records.show(
            records.PruneRecord(
                dry_run=dry_run,
                bottles=[_record(each, each.identity in going) for each in kept],
                logs_removed=len(old_logs),
                logs_bytes=logs_bytes,
                tools_bytes=tools_bytes,
            )
        )
    elif not (old or old_logs):
        messages.info("nothing has rested for long enough")
    elif not dry_run:
        messages.info(f"removed {_many(len(removed), 'bottle')} and {_many(len(old_logs), 'log file')}")


def _show(kept: list[Kept], old: list[Kept], now_s: float) -> None:
    for each in kept:
        rest = f"{int((now_s - each.last_used_s) / DAY_S)} days"
        fate = "to be removed" if each in old else "stays"
        click.echo("\t".join([each.identity, _name(each), shown(each.disk_bytes), rest, fate]))
    sizes = [each.disk_bytes for each in kept if each.disk_bytes is not None]
    click.echo(f"kept bottles\t{shown(sum(sizes))}\t{len(kept)} in all")


def _remove(layout: Layout, old: list[Kept]) -> set[str]:
    """The identities that are gone; one that was used since it was looked at stays."""
    backends = all_backends(layout)
    return {
        each.identity
        for each in old
        if remove_kept(
            layout,
            each.identity,
            backends,
            still=lambda each=each: last_used_s(layout, each.identity) == each.last_used_s,  # type: ignore[misc]
        )
    }


def _name(each: Kept) -> str:
    metadata = each.summary.metadata
    if metadata is None:
        return "unknown"
    agent = metadata.agent_name or metadata.provider
    return printable(f"{metadata.label} ({agent})" if metadata.label else agent)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _record(each: Kept, removed: bool) -> records.PrunedRecord:
    when = datetime.fromtimestamp(each.last_used_s, UTC).isoformat(timespec="seconds")
    return records.PrunedRecord(
        identity=each.identity,
        name=_name(each),
        last_used=when,
        disk_bytes=each.disk_bytes,
        removed=removed,
    )
