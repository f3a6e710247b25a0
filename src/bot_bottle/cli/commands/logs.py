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
from bot_bottle.store.layout import default_layout

POLL_S = 0.25
MAX_LINE_BYTES = 256 * 1024
"""Records are at most a few KiB; a longer line is read in pieces."""

MAX_LINE_CHARS = 2000
"""A longer line is shown cut; the file has all of it."""


@click.command("logs", short_help="show what a bottle's proxy blocked and what its sandbox said")
@click.argument("identity")
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, until the bottle has ended.")
@click.option(
    "--json", "as_json", is_flag=True, help="The proxy's records as they are: one JSON object a line."
)
@click.option(
    "--kind", type=click.Choice([logs.EGRESS, logs.BOTTLE, logs.SESSION, "all"]), default="all", show_default=True,
    help="The proxy's records, the sandbox's messages, those of the session process, or all, one after the other.",
)  # fmt: skip
def command(identity: str, follow: bool, as_json: bool, kind: str) -> None:
    """Show the logs of the bottle IDENTITY, of all its launches; they outlive it."""
    layout = default_layout()
    parse_identity(identity)
    kinds = (
        [logs.EGRESS] if as_json else [logs.SESSION, logs.BOTTLE, logs.EGRESS] if kind == "all" else [kind]
    )
    found = [path for each in kinds for path in logs.list_logs(layout, identity, each)]
    if not found and not bottles.is_running(layout, identity):
        raise LaunchError(f"no logs of {identity!r}: see 'bot-bottle list kept', or start it")
    show = _as_is if as_json else readable
    offsets: dict[Path, int] = {}
    for path in found:
        for line in _new_lines(path, offsets):
            click.echo(show(line))
    while follow and bottles.is_running(layout, identity):
        time.sleep(POLL_S)
        for path in [path for each in kinds for path in logs.list_logs(layout, identity, each)]:
            for line in _new_lines(path, offsets):
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


def _new_lines(path: Path, offsets: dict[Path, int]) -> Iterator[str]:
    """Lines behind the offset of *path*, which moves; a last one without its end is left for the next time.

    A line of more than :data:`MAX_LINE_BYTES` comes in pieces: what a bottle had written fills no memory.
    """
    with open(path, "rb") as file:
        file.seek(offsets.get(path, 0))
        while (line := file.readline(MAX_LINE_BYTES)) and (
            line.endswith(b"\n") or len(line) == MAX_LINE_BYTES
        ):
            offsets[path] = file.tell()
            yield line.decode("utf-8", "replace").rstrip("\n")
