"""YAML 1.1 as plain data, with the line of every value.

Reading is ``yamlread``'s, imported when something is read: a launch without files writes only, and PyYAML
takes 8 ms to import.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot_bottle.base.errors import BotBottleError

MAX_BYTES = 1024 * 1024
"""1 MiB: a manifest is written by hand; a routes proposal has the same bound."""

MAX_DEPTH = 32
"""Nesting: the deepest valid document has 8 levels; the composer recurses."""

KeyPath = tuple[str | int, ...]
"""Where a value stands: mapping keys and list indexes from the top, ``("egress", "routes", 0, "host")``."""


class YamlError(BotBottleError):
    """The text is not plain YAML data. ``line`` is 1-based, 0 where unknown; ``path`` may be empty."""

    def __init__(self, message: str, *, line: int = 0, path: KeyPath = ()) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.path = path


@dataclass(frozen=True)
class Document:
    """``data`` is plain dicts, lists and scalars; ``lines`` has the 1-based line of each value's path.

    For a mapping entry the line is that of its key.
    """

    data: dict[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """The line of *path*, or of its nearest ancestor that is in the text; 1 at the least."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def dotted(path: KeyPath) -> str:
    """``egress.routes[0].host``, as messages name it."""
    out = ""
    for step in path:
        out += f"[{step}]" if isinstance(step, int) else (f".{step}" if out else step)
    return out


def load(text: str, *, first_line: int = 1) -> Document:
    """Parse *text*; an empty text is an empty mapping.

    *first_line* is the line that the text starts at in its file (front matter starts at 2).
    Raises :class:`YamlError`.
    """
    from bot_bottle.base import yamlread

    return yamlread.load(text, first_line=first_line)


def dump(data: Mapping[str, Any]) -> str:
    """*data* (plain dicts, lists, scalars) as YAML that :func:`load` reads back to an equal value.

    Block style; strings are quoted whenever a reader could take them for something else.
    """
    return "".join(f"{line}\n" for line in _block(data)) if data else "{}\n"


MAX_SIMPLE_KEY_CHARS = 1024
"""A longer one has to be marked as a key (YAML 1.1 section 9.1.2)."""

_PLAIN = re.compile("[A-Za-z_/](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
"""What YAML 1.1 takes for a boolean or nothing, in any case."""


def _block(data: Mapping[str, Any] | list[Any]) -> Iterator[str]:
    """The lines of a mapping or list that is not empty."""
    if isinstance(data, list):
        for item in data:
            first, *rest = _block(item) if isinstance(item, dict | list) and item else [_flow(item)]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        return
    for key, value in data.items():
        name = _text(key)
        if len(name) > MAX_SIMPLE_KEY_CHARS:
            yield f"? {name}"
            name = ""
        if isinstance(value, dict | list) and value:
            yield f"{name}:"
            indent = "" if isinstance(value, list) else "  "
            yield from (f"{indent}{line}" for line in _block(value))
        else:
            yield f"{name}: {_flow(value)}"


def _flow(value: Any) -> str:
    """A scalar or an empty collection."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
        text = repr(value)
        return text if "." in text or "e" not in text else text.replace("e", ".0e", 1)
    if isinstance(value, int):
        return str(value)
    return "{}" if isinstance(value, dict) else "[]"


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if text.isascii() and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return "\\" + character if character in '"\\' else character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
