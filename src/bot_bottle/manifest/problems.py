"""Everything that is wrong in manifest files, not only the first mistake: for ``validate`` and ``edit``.

A file is decoded; the value at which that fails is noted and left out, and the rest is decoded again. Where a
file has no mistake of its own, its parents and its default bottle are looked at, and what this version reads
but does not enforce (ruling 50). Files are read; nothing is decided by what is found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot_bottle.base.text import printable
from bot_bottle.base.yamltext import KeyPath, dotted
from bot_bottle.manifest.decode_agent import decode_agent
from bot_bottle.manifest.decode_bottle import check_bottle_file
from bot_bottle.manifest.load import load
from bot_bottle.manifest.paths import Paths
from bot_bottle.manifest.preset_routes import bottle_routes
from bot_bottle.manifest.schema import AgentSource
from bot_bottle.manifest.settings import FILE as SETTINGS_FILE
from bot_bottle.manifest.settings import decode_settings, load_tree
from bot_bottle.manifest.source import DIRECTORY, Entry, Index, read
from bot_bottle.manifest.tree import ManifestError, Node, Place
from bot_bottle.manifest.unenforced import (
    AGENT,
    BOTTLE,
    SETTINGS,
    Row,
    refuse_unenforced,
    unenforced,
)

MAX_PROBLEMS = 100
"""In one file; who has more mends some of them first."""


class Level(StrEnum):
    ERROR = "error"
    """a launch refuses it"""
    WARNING = "warning"
    """it is passed over"""


@dataclass(frozen=True)
class Problem:
    """One mistake. ``file`` is empty and ``line`` 0 where it stands in none."""

    message: str
    file: str = ""
    line: int = 0
    path: KeyPath = ()
    level: Level = Level.ERROR

    def __str__(self) -> str:
        """``FILE:LINE: key.path: message``, printable."""
        path = () if self.message.startswith(self.key) else self.path  # some messages begin with it
        where = f"{Place(self.file, self.line, path)}: " if self.file else ""
        mark = "warning: " if self.level is Level.WARNING else ""
        return f"{where}{mark}{printable(self.message)}"

    @property
    def key(self) -> str:
        return dotted(self.path)


def of_error(error: ManifestError) -> Problem:
    return Problem(error.message, error.file, error.line, error.path)


def all_problems(index: Index) -> list[Problem]:
    """Of every agent and bottle of *index*, and of the settings of its home, each once."""
    found: list[Problem] = [Problem(warning, level=Level.WARNING) for warning in index.warnings]
    for name in index.bottles:
        found += bottle_problems(index, name)
    for name in index.agents:
        found += agent_problems(index, name)
    if index.home:
        found += settings_problems(Path(index.home) / DIRECTORY / SETTINGS_FILE)
    return once(found)


def once(problems: Iterable[Problem]) -> list[Problem]:
    """A parent's mistake shows in each of its children."""
    return list(dict.fromkeys(problems))


def bottle_problems(index: Index, name: str) -> list[Problem]:
    """Of the bottle's own file; where there is none, of what it inherits."""

    def inherited() -> list[Problem]:
        bottle = load(index, None, (name,)).bottle
        bottle_routes(bottle)
        return _refused(bottle.tree, BOTTLE)

    return _problems(index.bottles[name], lambda tree: check_bottle_file(tree, Paths(index.home)), inherited)


def agent_problems(index: Index, name: str) -> list[Problem]:
    """Of the agent's own file; where there is none, of its default bottle, and of the two together."""
    entry = index.agents[name]

    def decode(tree: Node) -> None:
        decode_agent(name, tree, "", AgentSource(entry.file, entry.origin))

    def together() -> list[Problem]:
        tree = read(entry).tree
        own = _refused(tree, AGENT)
        if "bottle" not in tree.value:
            return own
        loaded = load(index, name, trust_project=True)
        bottle_routes(loaded.bottle)
        found = own + _refused(loaded.bottle.tree, BOTTLE)
        if not found:
            refuse_unenforced(loaded)
        return found

    return _problems(entry, decode, together)


def settings_problems(file: Path) -> list[Problem]:
    """Of a settings file; none where there is no such file."""
    if not os.path.lexists(file):
        return []
    try:
        tree = load_tree(str(file))
    except ManifestError as error:
        return [of_error(error)]
    return _every(tree, decode_settings) or _refused(tree, SETTINGS)


def _problems(
    entry: Entry, decode: Callable[[Node], object], beyond: Callable[[], list[Problem]]
) -> list[Problem]:
    try:
        return _every(read(entry).tree, decode) or beyond()
    except ManifestError as error:
        return [of_error(error)]


def _refused(tree: Node, rows: tuple[Row, ...]) -> list[Problem]:
    return [
        Problem(
            f"is not enforced by this version: {row.fix}", node.place.file, node.place.line, node.place.path
        )
        for node, row in unenforced(tree, rows)
    ]


def _every(tree: Node, decode: Callable[[Node], object]) -> list[Problem]:
    """What *decode* finds wrong, one value after the other, in the order of the file.

    That a list is empty or a key missing once its content was left out is no mistake of the file's.
    """
    found: list[Problem] = []
    paths: list[KeyPath] = []
    rest: Node | None = tree
    while rest is not None and len(paths) < MAX_PROBLEMS:
        try:
            decode(rest)
        except ManifestError as error:
            if not any(path[: len(error.path)] == error.path for path in paths):
                found.append(of_error(error))
            paths.append(error.path)
            rest = without(rest, error.path)
        else:
            break
    return sorted(found, key=lambda problem: problem.line)


def without(tree: Node, path: Sequence[str | int]) -> Node | None:
    """*tree* without the value that was written at *path* (its path in the file, however much was left out
    before), or without what should have held it; None where only the whole is left to leave out."""
    for length in range(len(path), 0, -1):
        rest = _without(tree, tuple(path[:length]))
        if rest is not None:
            return rest
    return None


def _without(node: Node, path: KeyPath) -> Node | None:
    value = node.value
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, child in children:
        at = child.place.path
        if at == path:
            return Node(_dropped(value, step), node.place)
        if at == path[: len(at)]:
            rest = _without(child, path)
            return None if rest is None else Node(_replaced(value, step, rest), node.place)
    return None


def _dropped(value: dict[str, Node] | list[Node], step: str | int) -> dict[str, Node] | list[Node]:
    if isinstance(value, dict):
        return {key: child for key, child in value.items() if key != step}
    return [child for index, child in enumerate(value) if index != step]


def _replaced(
    value: dict[str, Node] | list[Node], step: str | int, new: Node
) -> dict[str, Node] | list[Node]:
    if isinstance(value, dict):
        return {key: new if key == step else child for key, child in value.items()}
    return [new if index == step else child for index, child in enumerate(value)]
