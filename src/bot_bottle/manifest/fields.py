"""Readers of single values: each takes a node and returns a typed value or raises with its place.

They hold no knowledge of any key; the decoders do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NoReturn, TypeVar

from bot_bottle.manifest.tree import ManifestError, Node, Place

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
D = TypeVar("D")

MAX_INTEGER = 2**53 - 1
"""Numbers go through JSON on their way (RFC 8259, section 6)."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SIZE = re.compile(r"([0-9]{1,12})(KiB|MiB|GiB|TiB)\Z")
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def fail(node: Node, message: str) -> NoReturn:
    """Raise for the value of *node*."""
    raise ManifestError(message, node.place)


def kind(value: object) -> str:
    """The YAML name of a value's type, as messages say it."""
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        type(None): "nothing",
        dict: "a mapping",
        list: "a list",
    }
    return names.get(type(value), type(value).__name__)


def listed(names: Iterable[str], none: str = "(none)") -> str:
    """Names as messages list them: sorted, separated by commas."""
    return ", ".join(sorted(names)) or none


def mapping(node: Node) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        fail(node, f"must be a mapping of keys to values, not {kind(node.value)}")
    return node.value


def known_keys(node: Node, allowed: Iterable[str], what: str = "key") -> dict[str, Node]:
    """The mapping at *node*, when all its keys are among *allowed*; the error lists those."""
    names = tuple(allowed)
    entries = mapping(node)
    for key, child in entries.items():
        if key not in names:
            fail(child, f"unknown {what} {key!r}: accepted are {listed(names)}")
    return entries


def string(node: Node, *, empty: bool = False) -> str:
    """A string without control characters: it may come to stand in a configuration file or a header."""
    if not isinstance(node.value, str):
        fail(node, f"must be a string, not {kind(node.value)}: put it in quotes")
    if not node.value and not empty:
        fail(node, "must not be empty: give a value or remove the key")
    if _CONTROL.search(node.value):
        fail(node, f"must be one line without control characters, not {node.value!r}")
    return node.value


def strings(node: Node) -> tuple[str, ...]:
    """A list of non-empty strings; the error for an item names its index by the key path."""
    if not isinstance(node.value, list):
        fail(node, f"must be an array of strings, not {kind(node.value)}")
    return tuple(string(item) for item in node.value)


def boolean(node: Node) -> bool:
    if not isinstance(node.value, bool):
        fail(node, f"must be true or false, not {kind(node.value)}")
    return node.value


def integer(node: Node, *, least: int = 1, most: int = MAX_INTEGER) -> int:
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        fail(node, f"must be a whole number, not {kind(node.value)}")
    if not least <= node.value <= most:
        fail(node, f"must be between {least} and {most}")
    return node.value


def number(node: Node, *, most: float) -> float:
    """A finite number above 0."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        fail(node, f"must be a number, not {kind(node.value)}")
    if not (0 < node.value <= most) or not math.isfinite(node.value):
        fail(node, f"must be above 0 and at most {most:g}")
    return float(node.value)


def choice(node: Node, options: type[E]) -> E:
    names = [option.value for option in options]
    if not isinstance(node.value, str) or node.value not in names:
        found = repr(node.value) if isinstance(node.value, str) else kind(node.value)
        fail(node, f"must be one of {', '.join(names)}, not {found}")
    return options(node.value)


def variable(node: Node) -> str:
    """The name of a variable in the host's environment."""
    name = string(node)
    if not _VARIABLE.match(name):
        fail(
            node,
            f"must be the name of a host variable (letters, digits and _), not {name!r}: "
            "write the name, never the value",
        )
    return name


def size(node: Node) -> int:
    """``4GiB`` in bytes; units KiB, MiB, GiB, TiB. A bare number is refused: 4 is no size."""
    found = _SIZE.match(node.value) if isinstance(node.value, str) else None
    if not found or not int(found[1]):
        fail(
            node,
            f"must be a size above 0 with its unit, such as 4GiB or 512MiB, not {node.value!r}"
            if isinstance(node.value, str | int | float)
            else f"must be a size such as 4GiB or 512MiB, not {kind(node.value)}",
        )
    return int(found[1]) * _UNITS[found[2]]


def optional(entries: dict[str, Node], key: str, read: Callable[[Node], T], default: D) -> T | D:
    """``read`` of the value at *key*, or *default* where the key is not written."""
    return read(entries[key]) if key in entries else default


def required(node: Node, entries: dict[str, Node], key: str, hint: str = "") -> Node:
    """The node at *key*; the error stands at the mapping and names the key."""
    if key not in entries:
        place = node.place
        raise ManifestError(
            f"is missing: add it{hint and f' ({hint})'}", Place(place.file, place.line, (*place.path, key))
        )
    return entries[key]
