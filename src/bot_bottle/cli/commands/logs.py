"""``logs``: what the proxy blocked, let through or was told, and what the sandbox said, safe for a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from bot_bottle.base.ids import parse_identity
from bot_bottle.base.text import printable
from bot_bottle.cli.log_lines import MAX_LINE_CHARS, BadSince, Wanted, parse_since, readable, record_of
from bot_bottle.launch.plan import LaunchError
from bot_bottle.store import bottles, logs
from bot_bottle.store.layout import default_layout
from bot_bottle.store.log_tail import LogTail

POLL_S = 0.25


def _since(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return parse_since(value, datetime.now(UTC)) if value else ""
    except BadSince as error:
        raise click.BadParameter(str(error)) from error


@click.command("logs", short_help="show what a bottle's sidecars refused and what its sandbox said")
@click.argument("identity")
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, until the bottle has ended.")
@click.option("--json", "as_json", is_flag=True, help="The records as they are: one JSON object a line.")
@click.option(
    "--kind", type=click.Choice([logs.EGRESS, logs.GIT, logs.BOTTLE, logs.SESSION, "all"]), default="all",
    show_default=True,
    help="The proxy's records, the git gate's, the sandbox's messages, those of the session process, or all, one after "
    "the other.",
)  # fmt: skip
@click.option(
    "--level", type=click.IntRange(0, 2), default=2, show_default=True,
    help="Of the records, those of this level of egress.log and below: 0 incidents and approvals, 1 what was "
    "refused or redacted, 2 requests and responses.",
)  # fmt: skip
@click.option(
    "--event", "events", multiple=True, metavar="NAME", help="Only records of this event; repeatable."
)
@click.option(
    "--since", callback=_since, default="", metavar="WHEN",
    help="Only records from then on: an age (10m, 2h, 1d) or a time (2026-01-02T03:04, UTC).",
)  # fmt: skip
def command(
    identity: str, follow: bool, as_json: bool, kind: str, level: int, events: tuple[str, ...], since: str
) -> None:
    """Show the logs of the bottle IDENTITY, of all its launches; they outlive it.

    One line a record: time, event, method, host, path, status, reason. Headers and bodies, which egress.log: 2
    writes, are in --json. With --level, --event or --since, only records are shown: the proxy's and the git gate's.
    """
    layout = default_layout()
    parse_identity(identity)
    wanted = Wanted(level, events, since)
    kinds = [kind]
    if kind == "all":
        only_records = as_json or not wanted.is_everything
        kinds = [*([] if only_records else [logs.SESSION, logs.BOTTLE]), logs.EGRESS, logs.GIT]
    if not bottles.is_running(layout, identity) and not any(
        logs.list_logs(layout, identity, each) for each in kinds
    ):
        raise LaunchError(f"no logs of {identity!r}: see 'bot-bottle list kept', or start it")
    tail = LogTail(layout, identity, kinds)
    _show(tail.lines(), wanted, as_json=as_json)
    while follow:
        follow = bottles.is_running(layout, identity)  # what it wrote last comes once more after its end
        if follow:
            time.sleep(POLL_S)
        _show(tail.lines(), wanted, as_json=as_json)


def _show(lines: Iterator[str], wanted: Wanted, *, as_json: bool) -> None:
    for line in lines:
        record = record_of(line)
        if not wanted.is_everything and (record is None or not wanted.has(record)):
            continue
        if as_json:
            click.echo(_as_is(line))
        else:
            click.echo(printable(line, limit=MAX_LINE_CHARS) if record is None else readable(record))


def _as_is(line: str) -> str:
    """A script gets what the file has; a terminal, nothing that could drive it (ruling 46)."""
    return printable(line) if os.isatty(1) else line
