"""Labels that show where a bottle comes from (``dev -> bot-bottle-dev -> claude-dev``), for pickers.

Pure, but for :func:`peek_parents` and :func:`peek_default`, which read tolerantly: a broken file is a bottle
without parents, an agent without a default. Nothing is decided by what they return.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot_bottle.base.text import printable
from bot_bottle.manifest.source import Entry, Index, is_name, read
from bot_bottle.manifest.tree import ManifestError

ARROW = " -> "


def peek_parents(index: Index) -> dict[str, tuple[str, ...]]:
    """Parents of each bottle that has some, as its file names them."""
    found = {}
    for name, entry in index.bottles.items():
        value = _peek(entry, "extends")
        parents = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        names = tuple(item for item in (_plain(item) for item in parents) if item)
        if names:
            found[name] = names
    return found


def peek_default(index: Index, agent: str) -> str | None:
    """The bottle that an agent's file names, to pre-select it; None for anything unreadable or not a name."""
    entry = index.agents.get(agent)
    return _plain(_peek(entry, "bottle")) if entry else None


def _peek(entry: Entry, key: str) -> object:
    try:
        tree = read(entry).tree
    except ManifestError:
        return None
    node = tree.value.get(key) if isinstance(tree.value, dict) else None
    return node.value if node else None


def _plain(item: object) -> str | None:
    value = getattr(item, "value", item)
    return value if isinstance(value, str) and is_name(value) else None


def labels(parents: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Label of each bottle in *parents*, unique; on a clash the bare name.

    >>> labels({"b": ("a",), "c": ("b",), "d": ("a", "b")})
    {'b': 'a -> b', 'c': 'a -> b -> c', 'd': '(a, b) -> d'}
    """
    made = {name: printable(_label(name, parents)) for name in parents}
    counts: dict[str, int] = {}
    for label in made.values():
        counts[label] = counts.get(label, 0) + 1
    return {
        name: label if counts[label] == 1 and label not in parents else name for name, label in made.items()
    }


def _label(name: str, parents: Mapping[str, tuple[str, ...]]) -> str:
    chain = [name]
    while True:
        above = parents.get(chain[0], ())
        if len(above) > 1:
            return ARROW.join((f"({', '.join(above)})", *chain))
        if not above or above[0] in chain:
            return ARROW.join(chain)
        chain.insert(0, above[0])
