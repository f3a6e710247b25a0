"""YAML 1.1 as plain data, with the line of every value.

Read with PyYAML's safe constructor over a composed node tree. Refused: tags, anchors and aliases (no
billion laughs), duplicate keys (PyYAML itself keeps the last one silently), keys that are not strings,
a top level other than a mapping, more than :data:`MAX_BYTES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

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


class _Loader(yaml.SafeLoader):
    """SafeLoader whose ``!!timestamp`` and ``!!binary`` stay strings: no value of ours is one."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")
)


def load(text: str, *, first_line: int = 1) -> Document:
    """Parse *text*; an empty text is an empty mapping.

    *first_line* is the line that the text starts at in its file (front matter starts at 2).
    Raises :class:`YamlError`.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise YamlError(f"more than {MAX_BYTES} bytes: split the file", line=first_line)
    try:
        loader: Any = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = first_line + text.count("\n", 0, error.position)
        raise YamlError(f"not valid YAML: remove the character U+{error.character:04X}", line=line) from error
    try:
        _refuse_indirection(text, first_line)
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        if node is None:
            return Document({}, lines)
        if not isinstance(node, yaml.MappingNode):
            raise YamlError("the top level must be a mapping of keys to values", line=first_line)
        data = _construct(loader, node, (), lines, first_line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + mark.line if mark else 0
        raise YamlError(f"not valid YAML: {error.problem or error.context}", line=line) from error
    except yaml.YAMLError as error:
        raise YamlError(f"not valid YAML: {str(error).splitlines()[0]}") from error
    except ValueError as error:
        raise YamlError(f"not valid YAML: {error}") from error
    finally:
        loader.dispose()
    assert isinstance(data, dict)
    return Document(data, lines)


def _refuse_indirection(text: str, first_line: int) -> None:
    """Anchors, aliases, tags and depth are seen in the event stream, before anything is composed."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        mark = event.start_mark
        line = first_line + mark.line if mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise YamlError("anchors and aliases are not accepted: write the value out", line=line)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise YamlError(f"tags are not accepted ({tag!r}): remove it", line=line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlError(f"nested more than {MAX_DEPTH} levels deep", line=line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _construct(
    loader: Any, node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], first_line: int
) -> Any:
    lines.setdefault(path, first_line + node.start_mark.line)
    if node.tag not in _PLAIN_TAGS:
        raise YamlError(f"not plain data ({node.tag})", line=lines[path], path=path)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = first_line + key_node.start_mark.line
            if key_node.tag != "tag:yaml.org,2002:str":
                raise YamlError(f"keys must be strings: quote {key_node.value!r}", line=line, path=path)
            key = key_node.value
            if key in mapping:
                raise YamlError(f"duplicate key {key!r}: keep one", line=line, path=(*path, key))
            lines[(*path, key)] = line
            mapping[key] = _construct(loader, value_node, (*path, key), lines, first_line)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, (*path, index), lines, first_line)
            for index, item in enumerate(node.value)
        ]
    return loader.construct_object(node)


class _Dumper(yaml.SafeDumper):
    """Block style, no aliases, strings quoted whenever a reader could take them for something else."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def dump(data: Mapping[str, Any]) -> str:
    """*data* (plain dicts, lists, scalars) as YAML that :func:`load` reads back to an equal value."""
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=100)
