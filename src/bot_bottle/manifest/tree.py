"""Raw values with the place each was written at: what ``extends`` merges and the decoders read.

A tree is immutable by agreement: merging makes new mappings and lists around the same nodes, so every node
keeps the file, line and key path of the text that it came from, however often it is inherited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.text import printable
from bot_bottle.base.yamltext import Document, KeyPath, dotted


@dataclass(frozen=True)
class Place:
    """Where a value was written. ``line`` is 1-based, 0 for a value that no file holds."""

    file: str
    line: int = 0
    path: KeyPath = ()
    """the key path in that file, not in the merged result"""

    def __str__(self) -> str:
        """``FILE:LINE: key.path``, each part only where there is one."""
        out = printable(self.file) + (f":{self.line}" if self.line else "")
        return f"{out}: {printable(dotted(self.path))}" if self.path else out


NOWHERE = Place("(built in)")
"""Of a value that was made by a program."""


class ManifestError(BotBottleError):
    """A manifest can't be used; ``str()`` is ``FILE:LINE: key.path: message``.

    ``file`` is empty and ``line`` 0 where the mistake stands in no file (an unknown name on the command
    line); ``path`` is the key path in that file.
    """

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place
        self.file = place.file if place else ""
        self.line = place.line if place else 0
        self.path: KeyPath = place.path if place else ()


@dataclass(frozen=True)
class Node:
    """``value``: a scalar, a ``dict[str, Node]`` or a ``list[Node]``."""

    value: Any = field(default_factory=dict)
    place: Place = NOWHERE

    def at(self, path: KeyPath) -> Place:
        """The place of *path* below this node, or, where that is not written, of its nearest ancestor.

        The key path of the result is the full one all the same: it names what is missing.
        """
        node, rest = self, path
        while rest:
            below = _child(node, rest[0])
            if below is None:
                break
            node, rest = below, rest[1:]
        return Place(node.place.file, node.place.line, (*node.place.path, *rest))


def _child(node: Node, step: str | int) -> Node | None:
    value = node.value
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        found: Node = value[step]
        return found
    return None


def from_data(data: Any, file: str, *, path: KeyPath = (), lines: Document | None = None) -> Node:
    """*data* (plain dicts, lists, scalars) as a tree; *lines* has the line of each path, if a file does."""
    place = Place(file, lines.line(path) if lines else 0, path)
    if isinstance(data, Mapping):
        return Node(
            {key: from_data(value, file, path=(*path, key), lines=lines) for key, value in data.items()},
            place,
        )
    if isinstance(data, list | tuple):
        return Node(
            [from_data(item, file, path=(*path, i), lines=lines) for i, item in enumerate(data)], place
        )
    return Node(data, place)


def plain(node: Node) -> Any:
    """The tree as plain dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def walk(node: Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
    """Every node below (not *node* itself) with its path from here, parents first, in order."""
    if isinstance(node.value, dict):
        steps: list[tuple[str | int, Node]] = list(node.value.items())
    elif isinstance(node.value, list):
        steps = list(enumerate(node.value))
    else:
        return
    for step, child in steps:
        yield (*path, step), child
        yield from walk(child, (*path, step))
