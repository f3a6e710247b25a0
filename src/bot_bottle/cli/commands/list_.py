"""``list``: the agents of the manifest; the bottles that run, and those that are kept."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from bot_bottle.base import messages
from bot_bottle.base.text import printable
from bot_bottle.cli import records
from bot_bottle.store import bottles, endings
from bot_bottle.store.bottles import StateSummary
from bot_bottle.store.endings import Ending
from bot_bottle.store.layout import Layout, default_layout

_SGR = {"red": 91, "green": 92, "yellow": 93, "blue": 94, "magenta": 95}


@click.group("list", short_help="list agents and bottles")
def command() -> None:
    """List agents that can be started, bottles that run, bottles that are kept."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
def available(as_json: bool) -> None:
    """Agent names, one a line, sorted; the current directory's own count too."""
    from bot_bottle.manifest.source import resolve  # needs the YAML reader: not on the way of the others

    index = resolve(default_layout().home.parent, Path.cwd(), missing_ok=True)
    names = sorted(index.agents)
    if as_json:
        records.show(names)
    else:
        for name in names:
            click.echo(name)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects on standard output.")
def active(as_json: bool) -> None:
    """Running bottles, one a line: backend, identity, name, services, state, separated by tabs.

    The state is starting, running, waiting (for somebody to type), refused (the proxy refused something within
    the last minute, or the bottle could not go on), or finished; docs/sessions.md says how they are told. One
    that ended while nobody was attached is listed until 'attach' has shown its end.
    """
    layout = default_layout()
    running = [summary for summary in bottles.list_states(layout) if summary.running]
    found = [_record(summary, _active_state(layout, summary)) for summary in running]
    names = {record.identity for record in found}
    found += [
        _ended_record(layout, ending) for ending in endings.read_all(layout) if ending.identity not in names
    ]
    found.sort(key=lambda record: record.identity)
    if as_json:
        records.show(found)
        return
    if not found:
        messages.info("no bottle is running")
    for record in found:
        columns = [
            record.backend,
            record.identity,
            _colored(printable(record.name), record.color),
            "proxy",
            record.state,
        ]
        click.echo("\t".join(columns))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects on standard output.")
def kept(as_json: bool) -> None:
    """Bottles that ended with work in them, and can be resumed: identity, name, last start, disk use."""
    from bot_bottle.launch import disk_use  # starts programs, which most listings need not

    found = sorted(disk_use.kept_bottles(default_layout()), key=lambda each: each.identity)
    if as_json:
        records.show(
            [msgspec.structs.replace(_record(k.summary, _KEPT), disk_bytes=k.disk_bytes) for k in found]
        )
        return
    if not found:
        messages.info("no bottle is kept")
    for each in found:
        record = _record(each.summary, _KEPT)
        size = disk_use.shown(each.disk_bytes)
        click.echo("\t".join([each.identity, printable(record.name), record.started_at, size]))


_State = tuple[str, bool | None]
"""The word, and whether a terminal is attached."""
_KEPT: _State = ("kept", None)


def _active_state(layout: Layout, summary: StateSummary) -> _State:
    from bot_bottle.cli.conditions import state_of

    word, condition = state_of(layout, summary)
    return word, condition.attached if condition is not None else None


def _record(summary: StateSummary, state: _State) -> records.BottleRecord:
    metadata, launch = summary.metadata, summary.launch
    agent = (metadata.agent_name or metadata.provider) if metadata else ""
    label = metadata.label if metadata else ""
    return records.BottleRecord(
        identity=summary.identity,
        name=(f"{label} ({agent})" if label else agent) or "unknown",
        agent=agent,
        label=label,
        color=metadata.color if metadata else "",
        backend=(metadata.backend if metadata else "") or (launch.backend if launch else "") or "unknown",
        bottles=list(metadata.bottle_names) if metadata else [],
        started_at=metadata.started_at if metadata else "",
        preserved=summary.preserved,
        state=state[0],
        attached=state[1],
    )


def _ended_record(layout: Layout, ending: Ending) -> records.BottleRecord:
    from bot_bottle.cli.conditions import state_of_ended

    return records.BottleRecord(
        identity=ending.identity,
        name=ending.name or "unknown",
        agent=ending.agent,
        label=ending.label,
        color=ending.color,
        backend=ending.backend or "unknown",
        bottles=list(ending.bottles),
        started_at=ending.started_at,
        preserved=bottles.is_preserved(layout, ending.identity),
        state=state_of_ended(ending),
        status=ending.status,
        ended_at=ending.ended_at,
    )


def _colored(text: str, color: str) -> str:
    if color not in _SGR or os.environ.get("NO_COLOR") or not os.isatty(1):
        return text
    return f"\x1b[{_SGR[color]}m{text}\x1b[0m"
