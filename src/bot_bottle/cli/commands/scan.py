"""``scan``: the proxy's own scanner over files and pipes, for scripts, hooks and tests. Never prints a secret."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import click

from bot_bottle.base import messages
from bot_bottle.base.text import printable
from bot_bottle.cli import records
from bot_bottle.cli.errors import FIXABLE, OK, USAGE, Exit
from bot_bottle.cli.scanning import Inspector, Seen, inspector

STDIN = "-"


@click.command("scan", short_help="look for secrets, or for hidden orders, in files or standard input")
@click.argument("files", metavar="[FILE…|-]", nargs=-1)
@click.option(
    "--outbound", "way", flag_value="outbound", default=True, help="What may not leave (the default)."
)
@click.option(
    "--inbound", "way", flag_value="inbound", help="What may not come in unseen: hidden or open orders."
)
@click.option(
    "--known", "known", metavar="ENV_NAME", multiple=True, help="Also look for this variable's value."
)
@click.option("--entropy", is_flag=True, help="Also warn of 64 characters as good as random (outbound).")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
@click.option(
    "--jsonl", is_flag=True, help='Lines of {"id": …, "text": …} in, lines of {"id": …, "findings": […]} out.'
)
def command(
    files: tuple[str, ...], way: str, known: tuple[str, ...], entropy: bool, as_json: bool, jsonl: bool
) -> None:
    """Scan each FILE, or standard input, with the engine that scans what a bottle sends: credentials of all known
    formats and the values of --known variables in any encoding; or, with --inbound, what it receives.

    The matched value is never printed. Exits 1 on a finding, 2 when something could not be read.
    """
    if as_json and jsonl:
        raise click.UsageError("--json and --jsonl exclude each other")
    if way == "inbound" and entropy:
        raise click.UsageError("--entropy is for --outbound")
    engine = inspector(way, _values(known), entropy=entropy)
    total = _Total()
    if jsonl:
        _lines(files, engine, total)
    else:
        _whole(files, engine, total, as_json=as_json)
    if total.unread:
        raise Exit(USAGE)
    raise Exit(FIXABLE if total.findings else OK)


class _Total:
    def __init__(self) -> None:
        self.findings = 0
        self.unread = 0


def _values(names: tuple[str, ...]) -> dict[str, str]:
    """The values of the variables that a person named, by name."""
    values = {}
    for name in names:
        value = os.environ.get(name, "")
        if not value:
            raise click.UsageError(f"--known {name}: the variable is not set, or empty")
        values[name] = value
    return values


def _whole(files: tuple[str, ...], engine: Inspector, total: _Total, *, as_json: bool) -> None:
    """Each file is one text."""
    shown: list[records.ScanRecord] = []

    def scan(file: IO[bytes], name: str) -> None:
        for seen in engine.stream(file):
            total.findings += 1
            if as_json:
                shown.append(_record(seen, None if name == STDIN else name))
            else:
                click.echo(_line(seen, name))

    for name in files or (STDIN,):
        _read(name, scan, total)
    if as_json:
        records.show(shown)
    elif not total.findings and not total.unread:
        messages.info("nothing was found")


def _lines(files: tuple[str, ...], engine: Inspector, total: _Total) -> None:
    """Each line is one text; answers come in the order of the lines, each as soon as it is there."""

    def scan(file: IO[bytes], name: str) -> None:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                given = json.loads(line)
                ident, text = given["id"], given["text"]
                raw = text.encode("utf-8", "surrogatepass")
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                total.unread += 1
                messages.error(f'{printable(name)}:{number}: not an object with "id" and a string "text"')
                continue
            found = [_record(seen, None) for seen in engine.text(raw)]
            total.findings += len(found)
            records.show(records.ScanLine(id=ident, findings=found))

    for name in files or (STDIN,):
        _read(name, scan, total)


def _read(name: str, scan: Callable[[IO[bytes], str], None], total: _Total) -> None:
    """Hand *name*, opened, to *scan*; say what can't be read, at its beginning or half-way."""
    try:
        if name == STDIN:
            scan(sys.stdin.buffer, name)
        else:
            with Path(name).open("rb") as file:
                scan(file, name)
    except BrokenPipeError:
        raise
    except OSError as error:
        total.unread += 1
        messages.error(f"{printable(name)}: {error.strerror or type(error).__name__}")


def _record(seen: Seen, file: str | None) -> records.ScanRecord:
    finding = seen.finding
    return records.ScanRecord(
        file=file,
        line=seen.line,
        start=finding.start,
        end=finding.end,
        detector=str(finding.detector),
        rule=finding.rule,
        severity=str(finding.severity),
        reason=finding.reason,
        view=list(finding.view),
        snippet=seen.snippet,
    )


def _line(seen: Seen, name: str) -> str:
    finding = seen.finding
    view = f" (in {' in '.join(reversed(finding.view))})" if finding.view else ""
    where = "" if name == STDIN else f"{printable(name)}:"
    return (
        f"{where}{seen.line}: {finding.severity}: {finding.rule}{view}: {finding.reason}"
        f": {printable(seen.snippet, limit=160)}"
    )
