"""The reading half of ``yamltext``, over PyYAML's safe constructor and a composed node tree.

Refused: tags, anchors and aliases (no billion laughs), duplicate keys (PyYAML itself keeps the last one
silently), keys that are not strings, a top level other than a mapping, more than ``MAX_BYTES``. A sidecar's
parent imports it before it forks; a launch that reads no file does not.
"""

from __future__ import annotations

from typing import Any

import yaml

from bot_bottle.base.yamltext import MAX_BYTES, MAX_DEPTH, Document, KeyPath, YamlError


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
