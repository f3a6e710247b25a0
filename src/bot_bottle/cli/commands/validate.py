"""``validate``: everything that is wrong in manifest files, settings and routes files, each with its line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

from bot_bottle.base import messages
from bot_bottle.base.text import printable
from bot_bottle.cli import records
from bot_bottle.cli.errors import FIXABLE, OK, Exit
from bot_bottle.launch.routes_problems import routes_problems
from bot_bottle.manifest.problems import (
    Level,
    Problem,
    agent_problems,
    all_problems,
    bottle_problems,
    of_error,
    once,
    settings_problems,
)
from bot_bottle.manifest.settings import FILE as SETTINGS_FILE
from bot_bottle.manifest.source import DIRECTORY, Index, beside, is_name, resolve
from bot_bottle.manifest.tree import ManifestError
from bot_bottle.store.layout import default_layout

ROUTES_SUFFIXES = (".yaml", ".yml", ".json")


@click.command("validate", short_help="check manifests, settings and routes files, with file and line")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON array of problems on standard output.")
def command(files: tuple[Path, ...], as_json: bool) -> None:
    """Check FILES, or all agents and bottles that are found from here and the settings: unknown keys, wrong
    values, bottles that are missing, and what this version reads but does not enforce.

    What a file is says its place: agents/NAME.md, bottles/NAME.md, settings.yml; another .yaml, .yml or .json
    is a routes file. Exits 1 when there is a problem that a launch would refuse.
    """
    home = default_layout().home.parent
    found = once(problem for file in files for problem in check(file, home)) if files else _everything(home)
    if as_json:
        records.show([_record(problem) for problem in found])
    else:
        for problem in found:
            click.echo(str(problem))
    errors = [problem for problem in found if problem.level is Level.ERROR]
    if not errors:
        messages.info("no problem was found")
    raise Exit(FIXABLE if errors else OK)


def _everything(home: Path) -> list[Problem]:
    try:
        index = resolve(home, Path.cwd(), missing_ok=True)
    except ManifestError as error:
        return [of_error(error)]
    return all_problems(index)


def check(file: Path, home: Path) -> Iterable[Problem]:
    """The problems of one file that a person named."""
    path = Path(os.path.abspath(file))
    if path.name == SETTINGS_FILE:
        return settings_problems(path) if os.path.lexists(path) else [_missing(path)]
    if path.suffix in ROUTES_SUFFIXES:
        return routes_problems(path) if os.path.lexists(path) else [_missing(path)]
    kind, name = path.parent.name, path.stem
    if path.suffix != ".md" or kind not in ("agents", "bottles") or not is_name(name):
        return [
            Problem(
                "is neither agents/NAME.md nor bottles/NAME.md, settings.yml or a routes file (.yaml): rename it",
                str(path),
            )
        ]
    if not os.path.lexists(path):
        return [_missing(path)]
    index = index_of(path, home)
    if name not in (index.agents if kind == "agents" else index.bottles):
        return [
            Problem("is not read: bottles come from ~/.bot-bottle/bottles alone; move it there", str(path))
        ]
    return agent_problems(index, name) if kind == "agents" else bottle_problems(index, name)


def index_of(path: Path, home: Path) -> Index:
    """The manifest that ``…/agents/NAME.md`` or ``…/bottles/NAME.md`` belongs to."""
    root = path.parent.parent
    if root == home / DIRECTORY:
        return resolve(home, None)
    if root.name == DIRECTORY:  # a project's: its bottles are the home's, or it is no bottle at all
        return resolve(home, root.parent, missing_ok=True)
    return beside(root, home)


def _missing(path: Path) -> Problem:
    return Problem("is not there: name a file", str(path))


def _record(problem: Problem) -> records.ProblemRecord:
    return records.ProblemRecord(
        level=problem.level.value,
        file=printable(problem.file),
        line=problem.line,
        path=printable(problem.key),
        message=printable(problem.message),
    )
