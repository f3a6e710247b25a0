"""``logs``: what the proxy blocked and what the sandbox said, made safe for a terminal."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import click

from bot_bottle.base.ids import parse_identity
from bot_bottle.base.text import printable
from bot_bottle.launch.plan import LaunchError
from bot_bottle.store import bottles, logs
from bot_bottle.store.layout import Layout, default_layout

POLL_S = 0.25
MAX_LINE_CHARS = 2000
"""A longer line is shown cut; the file has all of it."""


@click.command("logs", short_help="show what a bottle's proxy blocked and what its sandbox said")
@click.argument("identity")
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, until the bottle has ended.")
@click.option(
    "--json", "as_json", is_flag=True, help="The proxy's records as they are: one JSON object a line."
)
@click.option(
    "--kind", type=click.Choice([logs.EGRESS, logs.BOTTLE, "all"]), default="all", show_default=True,
    help="The proxy's records, the sandbox's messages, or both, one after the other.",
)  # fmt: skip
def command(identity: str, follow: bool, as_json: bool, kind: str) -> None:
    """Show the logs of the bottle IDENTITY, of all its launches; they outlive it."""
    layout = default_layout()
    parse_identity(identity)
    kinds = [logs.EGRESS] if as_json else [logs.BOTTLE, logs.EGRESS] if kind == "all" else [kind]
    found = [path for each in kinds for path in logs.list_logs(layout, identity, each)]
    if not found and not bottles.is_running(layout, identity):
        raise LaunchError(f"no logs of {identity!r}: see 'bot-bottle list kept', or start it")
    show = _as_is if as_json else readable
    for path in found:
        for line in path.read_text("utf-8", "replace").splitlines():
            click.echo(show(line))
    if follow:
        for line in _follow(layout, identity, kinds, {path: path.stat().st_size for path in found}):
            click.echo(show(line))


def readable(line: str) -> str:
    """One record as ``time event method host path: reason``; any other line as it is, printable."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return printable(line, limit=MAX_LINE_CHARS)
    head = [str(record.pop(key)) for key in ("time", "event", "method") if key in record]
    where = str(record.pop("host", "")) + str(record.pop("path", ""))
    text = " ".join([*head, where] if where else head)
    if "reason" in record:
        text += f": {record.pop('reason')}"
    if record:
        text += " [" + " ".join(f"{key}={value}" for key, value in sorted(record.items())) + "]"
    return printable(text, limit=MAX_LINE_CHARS)


def _as_is(line: str) -> str:
    """A script gets what the file has; a terminal, nothing that could drive it (ruling 46)."""
    return printable(line) if os.isatty(1) else line


def _follow(layout: Layout, identity: str, kinds: list[str], offsets: dict[Path, int]) -> Iterator[str]:
    """New whole lines as they come; ends a moment after the bottle."""
    partial: dict[Path, bytes] = {}
    running = True
    while running:
        running = bottles.is_running(layout, identity)
        for path in [path for kind in kinds for path in logs.list_logs(layout, identity, kind)]:
            with open(path, "rb") as file:
                file.seek(offsets.get(path, 0))
                data = partial.pop(path, b"") + file.read()
                offsets[path] = file.tell()
            *lines, rest = data.split(b"\n")
            partial[path] = rest
            for line in lines:
                yield line.decode("utf-8", "replace")
        if running:
            time.sleep(POLL_S)
