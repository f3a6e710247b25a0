"""``try``: watch a scripted agent work in a bottle, then try to break out; ends with a table of what stopped it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot_bottle.base import messages
from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.cli.backends import make_backend
from bot_bottle.cli.errors import FIXABLE, OK, Exit
from bot_bottle.launch.watching import Stopped
from bot_bottle.store.layout import default_layout
from bot_bottle.testing.trial.catalogue import LEFT_OUT, Evidence
from bot_bottle.testing.trial.judge import NOTHING, Row, Verdict
from bot_bottle.testing.trial.trial import Result, Spoil, run_trial

PLAIN_WIDTH = 100
"""Where there is no terminal to ask; COLUMNS sets another."""
NARROW = 100
"""Under this the attacker's and the control's columns have one word each."""

_LEVEL = "BOT_BOTTLE_LOG_LEVEL"
_STYLES = {Verdict.HELD: "green", Verdict.ESCAPED: "bold red", Verdict.NOT_PROVEN: "yellow"}


@click.command("try", short_help="watch a scripted agent work in a bottle, then try to break out")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output; see docs/try.md.")
@click.option("--verbose", is_flag=True, help="Every word that each attempt got, and what is not tried.")
def command(as_json: bool, verbose: bool) -> None:
    """Run a scripted agent in a real bottle: it does some work, then tries everything to get out.

    Needs no account and no network. Each verdict is read from the attacker's listeners, and each attempt is
    made outside of the bottle too: a row is "held" only if nothing came from inside and that one arrived.
    Exit status: 0 all held, 1 something escaped or did not work. Nothing is left behind.
    """
    raise Exit(carry_out(as_json=as_json, verbose=verbose))


def carry_out(*, as_json: bool = False, verbose: bool = False, spoil: Spoil | None = None) -> int:
    """Run a trial, show it, return the exit status. *spoil*: for tests of the table itself."""
    layout = default_layout()
    backend = make_backend(layout)
    problems = backend.check()
    if any(problem.fatal for problem in problems):
        for problem in problems:
            messages.error(f"{backend.name}: {problem.what}\n-> {problem.fix}")
        messages.error("no bottle can be made here: mend that, see 'bot-bottle doctor'")
        return FIXABLE
    try:
        with _quiet(verbose):
            result = run_trial(layout, lambda trial: make_backend(trial, backend.name), _progress, spoil)
    except Stopped as stopped:
        raise Exit(128 + stopped.signal) from None
    except BotBottleError as error:
        messages.error(f"{error} (see 'bot-bottle doctor')")
        return FIXABLE
    if as_json:
        click.echo(json.dumps(as_object(result)))
    else:
        show(result, verbose=verbose)
    return OK if result.passed else FIXABLE


def _progress(line: str) -> None:
    click.echo(f"try: {line}", err=True)


@contextmanager
def _quiet(verbose: bool) -> Iterator[None]:
    """The launch speaks of kept work and of ``resume``: of a trial nothing is kept."""
    before = os.environ.get(_LEVEL)
    if not verbose:
        os.environ[_LEVEL] = "error"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_LEVEL, None)
        else:
            os.environ[_LEVEL] = before


def as_object(result: Result) -> dict[str, Any]:
    """What ``--json`` prints; its keys are described in docs/try.md and stay."""
    return {
        "passed": result.passed,
        "seconds": round(result.seconds, 1),
        "work": [{"did": step.did, "done": step.done, "seen": step.seen} for step in result.work],
        "trouble": result.trouble,
        "escapes": [
            {
                "name": row.escape.name,
                "threat": row.escape.threat,
                "tried": row.escape.tried,
                "verdict": str(row.verdict),
                "stopped_by": row.stopped_by,
                "received": row.received,
                "control": row.control,
                "reason": row.reason,
                "forgoable": bool(row.escape.forgoable),
            }
            for row in result.rows
        ],
        "counts": {str(verdict): result.count(verdict) for verdict in Verdict},
        "not_tried": [{"what": what, "why": why} for what, why in LEFT_OUT],
    }


def show(result: Result, *, verbose: bool = False) -> None:
    """The table on standard output: colours on a terminal only, as wide as that is."""
    console = Console(highlight=False, soft_wrap=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(highlight=False, emoji=False, width=PLAIN_WIDTH)
    console.print(_work_table(result))
    if result.trouble:
        console.print(Text(f"the agent could not go on: {printable(result.trouble)}", style="bold red"))
    console.print(_escape_table(result.rows, narrow=console.width < NARROW, verbose=verbose))
    for row in result.rows:
        if row.reason:
            console.print(
                Text(f"{row.escape.tried}: {row.verdict}: {row.reason}", style=_STYLES[row.verdict])
            )
    if verbose:
        for what, why in LEFT_OUT:
            console.print(Text(f"not tried: {what}: {why}"))
    console.print(_summary(result))


def _table(*headers: str, title: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(title, style="bold"),
        title_justify="left",
        pad_edge=False,
        expand=False,
    )
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _work_table(result: Result) -> Table:
    table = _table("", "the agent", "seen from outside of the bottle", title="Work")
    for step in result.work:
        mark = Text("done", style="green") if step.done else Text("not done", style="bold red")
        table.add_row(mark, Text(step.did), Text(step.seen))
    return table


def _escape_table(rows: tuple[Row, ...], *, narrow: bool, verbose: bool) -> Table:
    headers = ("", "what was tried", "what stopped it", "it got" if narrow else "the attacker got", "control")
    table = _table(*headers, title="Escapes")
    table.columns[0].no_wrap = True
    for row in rows:
        stopped_by = row.stopped_by if verbose or row.verdict is not Verdict.HELD else _short(row.stopped_by)
        received, control = row.received, row.control
        if narrow:
            kind = row.escape.evidence
            received, control = _word(kind, received), _word(kind, control)
        table.add_row(
            Text(str(row.verdict), style=_STYLES[row.verdict]),
            *(Text(printable(cell)) for cell in (row.escape.tried, stopped_by, received, control)),
        )
    return table


def _short(text: str, limit: int = 60) -> str:
    text = text.replace(" egress:", "")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _word(evidence: Evidence, text: str) -> str:
    """``tls: arrived (and 3 more)`` as one word."""
    words = {Evidence.ARRIVES: "arrived", Evidence.FINDS: "found", Evidence.CHANGES: "done"}
    return text if text == NOTHING else words.get(evidence, "worked")


def _summary(result: Result) -> Text:
    counts = ", ".join(f"{result.count(verdict)} {verdict}" for verdict in Verdict if result.count(verdict))
    text = Text(f"{len(result.rows)} escapes tried: {counts}; {result.seconds:.1f} s.\n")
    if result.passed:
        text.append("Next: write ~/.bot-bottle/bottles/dev.md as in README.md, then ", style="")
        text.append("bot-bottle start", style="bold")
        text.append("; or at once: ")
        text.append("bot-bottle run -- sh", style="bold")
    else:
        text.append("Not what it should be: do not trust bottles on this host. ", style="bold red")
        text.append("See 'bot-bottle doctor', and report an escape as SECURITY.md says.")
    return text
