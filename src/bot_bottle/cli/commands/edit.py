"""``edit``: an agent's or bottle's file in the operator's editor, checked afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from bot_bottle.base import messages, process
from bot_bottle.cli import completion
from bot_bottle.cli.asking import Asker, asking
from bot_bottle.cli.errors import FIXABLE, Exit
from bot_bottle.manifest.load import require_agent, require_bottle
from bot_bottle.manifest.problems import Level, Problem, agent_problems, bottle_problems
from bot_bottle.manifest.schema import Origin
from bot_bottle.manifest.source import Entry, Index, read_file, resolve
from bot_bottle.store.layout import default_layout

FALLBACK = "vim"
VIMS = frozenset({"vim", "nvim", "gvim", "vim.basic", "vim.tiny", "vim.nox", "vim.gtk3"})
NO_MODELINES = ("--cmd", "autocmd BufReadPre * setlocal nomodeline")
"""A project's file must not set the editor's options (ruling 21)."""


@click.command("edit", short_help="open an agent's or bottle's file in your editor, and check it")
@click.argument("name", shell_complete=completion.agents)
@click.option("--bottle", "is_bottle", is_flag=True, help="NAME is a bottle, not an agent.")
def command(name: str, is_bottle: bool) -> None:
    """Open the file of the agent NAME (the current project's wins over yours), or of the bottle NAME, in $EDITOR
    (vim without it). The file is checked afterwards; where something is wrong you are offered to edit it again.

    Exits 1 when the file is left with a mistake.
    """
    home, cwd = default_layout().home.parent, Path.cwd()
    index = resolve(home, cwd)
    entry = require_bottle(index, name) if is_bottle else require_agent(index, name)
    if entry.origin is Origin.PROJECT:
        messages.info(f"this project's file: {entry.file}")
    before = _content(entry)
    with asking() as asker:
        while True:
            _open_editor(entry.file, asker)
            problems = check(resolve(home, cwd), name, is_bottle=is_bottle)
            for problem in problems:
                messages.error(str(problem))
            if not problems:
                break
            if asker is None or not asker.yes("edit it again?"):
                raise Exit(FIXABLE)
    messages.info("nothing was changed" if _content(entry) == before else f"{entry.file} is fine")


def check(index: Index, name: str, *, is_bottle: bool) -> Sequence[Problem]:
    """What a launch would refuse, in this file or in what it stands on."""
    if name not in (index.bottles if is_bottle else index.agents):
        return [Problem("the file is gone")]
    found = bottle_problems(index, name) if is_bottle else agent_problems(index, name)
    return [problem for problem in found if problem.level is Level.ERROR]


def _content(entry: Entry) -> bytes:
    """Refuses what is no regular file, and in a project a link, which could lead anywhere."""
    return read_file(entry.file, follow=entry.origin is not Origin.PROJECT)


def _open_editor(file: str, asker: Asker | None) -> None:
    argv = editor(os.environ.get("EDITOR", ""))
    status = process.foreground([*argv, file], asker.descriptor if asker else None)
    if status:
        messages.error(f"{argv[0]!r} ended with status {status}: nothing was checked")
        raise Exit(FIXABLE)


def editor(configured: str) -> list[str]:
    """The words of ``$EDITOR``, else vim's; vim is told to heed no modelines."""
    try:
        words = shlex.split(configured)
    except ValueError as error:
        raise click.UsageError(f"EDITOR={configured!r} can't be read as words: {error}") from error
    words = words or [FALLBACK]
    return [*words, *NO_MODELINES] if is_vim(words[0]) else words


def is_vim(program: str) -> bool:
    """By its name, or by that of what it is a link to: ``vi`` and ``editor`` often are."""
    found = os.path.realpath(shutil.which(program) or program)
    return not VIMS.isdisjoint((os.path.basename(program), os.path.basename(found)))
