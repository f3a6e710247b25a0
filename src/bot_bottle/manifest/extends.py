"""How bottles inherit and combine: raw trees in, one raw tree out. No I/O of its own, nothing is decoded.

Three ways to put one bottle over another, which differ for ``git-gate.repos`` alone:

===========  ==========================================  ============================================
mode         when                                        ``git-gate.repos``
===========  ==========================================  ============================================
``CHILD``    a bottle over its combined parents          ``{}`` clears; same name: field by field
``FOLD``     a later parent over an earlier one          ``{}`` clears nothing; same name: field by field
``COMPOSE``  a later selected bottle over an earlier     ``{}`` clears nothing; same name: whole entry
===========  ==========================================  ============================================

Everywhere a scalar that is not written resets nothing: the last bottle that *declares* it, itself or by
inheritance, wins. Route lists are concatenated; a node that arrives twice from one ancestor is kept once.
Budgets are not merged: the result holds ``budget: {BOTTLE: {PROVIDER: …}}``, a scope for each bottle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import reduce

from bot_bottle.manifest.fields import fail, kind, listed
from bot_bottle.manifest.tree import NOWHERE, ManifestError, Node, Place

MAX_CHAIN = 32
"""Bottles between a bottle and its farthest ancestor; resolving recurses."""


class Mode(Enum):
    CHILD = auto()
    FOLD = auto()
    COMPOSE = auto()


Entries = dict[str, Node]


# -- merging
def merge(base: Node, top: Node, mode: Mode) -> Node:
    """*top* over *base*; both are bottles' trees without ``extends``."""
    below, above = _entries(base), _entries(top)
    out: Entries = {**below, **above}
    for key, rule in _RULES.items():
        if key in below and key in above:
            out[key] = rule(below[key], above[key], mode)
    return Node(out, top.place)


def _entries(node: Node) -> Entries:
    assert isinstance(node.value, dict)
    return node.value


def _by_field(base: Node, top: Node, _mode: Mode) -> Node:
    return Node({**_entries(base), **_entries(top)}, top.place)


def _joined(base: Node, top: Node, _mode: Mode) -> Node:
    """Lists one after the other; an equal scalar, or the very same node, is kept once."""
    seen: set[object] = set()
    items = []
    for item in (*base.value, *top.value):
        scalar = not isinstance(item.value, dict | list)
        mark = (type(item.value), item.value) if scalar else id(item)
        if mark not in seen:
            seen.add(mark)
            items.append(item)
    return Node(items, top.place)


def _with_lists(*lists: str) -> Callable[[Node, Node, Mode], Node]:
    """Field by field, but the fields *lists* are joined."""

    def rule(base: Node, top: Node, mode: Mode) -> Node:
        below, above = _entries(base), _entries(top)
        out: Entries = {**below, **above}
        for key in lists:
            if key in below and key in above:
                out[key] = _joined(below[key], above[key], mode)
        return Node(out, top.place)

    return rule


def merge_user(base: Node, top: Node) -> Node:
    """``git-gate.user``: a field that is not empty wins."""
    filled = {key: node for key, node in _entries(top).items() if node.value != ""}
    return Node({**_entries(base), **filled}, top.place)


def _git_gate(base: Node, top: Node, mode: Mode) -> Node:
    below, above = _entries(base), _entries(top)
    out: Entries = {**below, **above}
    if "user" in below and "user" in above:
        out["user"] = merge_user(below["user"], above["user"])
    if "repos" in below and "repos" in above:
        out["repos"] = _repos(below["repos"], above["repos"], mode)
    return Node(out, top.place)


def _repos(base: Node, top: Node, mode: Mode) -> Node:
    below, above = _entries(base), _entries(top)
    if mode is Mode.CHILD and not above:
        return top
    if mode is Mode.COMPOSE:
        return Node({**below, **above}, top.place)
    fields = {
        name: Node({**_entries(below[name]), **_entries(entry)}, entry.place) if name in below else entry
        for name, entry in above.items()
    }
    return Node({**below, **fields}, top.place)


_RULES: dict[str, Callable[[Node, Node, Mode], Node]] = {
    "env": _by_field,
    "git-gate": _git_gate,
    "egress": _with_lists("routes"),
    "workspace": _with_lists("exclude", "protect"),
    "resources": _by_field,
    "tools": _joined,
    "budget": _by_field,
}
"""Keys that merge; every other key of the later bottle replaces the earlier one's whole."""


# -- following ``extends``
class Family:
    """Resolves bottles by name, each once (diamonds), and remembers who extends whom.

    *read* returns the checked tree of one bottle's file; *names* are the bottles that there are.
    """

    def __init__(self, read: Callable[[str], Node], names: Sequence[str]) -> None:
        self._read = read
        self._names = tuple(names)
        self._resolved: dict[str, Node] = {}
        self.parents: dict[str, tuple[str, ...]] = {}

    def resolve(self, name: str) -> Node:
        """The tree of bottle *name* with everything that it inherits."""
        return self._resolve(name, ())

    def compose(self, names: Sequence[str]) -> Node:
        """The selected bottles, each resolved, merged in order: the first is the base."""
        trees = [self.resolve(name) for name in names]
        return reduce(lambda base, top: merge(base, top, Mode.COMPOSE), trees)

    def scopes(self, names: Sequence[str]) -> tuple[str, ...]:
        """Budget scopes of a selection: last selected … first selected, then parents, nearest first, of
        several the later first (ruling 25)."""
        found: dict[str, None] = {}
        level = list(reversed(names))
        while level:
            fresh = [name for name in dict.fromkeys(level) if name not in found]
            found.update(dict.fromkeys(fresh))
            level = [parent for name in fresh for parent in reversed(self.parents.get(name, ()))]
        return tuple(found)

    def _resolve(self, name: str, chain: tuple[str, ...]) -> Node:
        if name in self._resolved:
            return self._resolved[name]
        own = dict(_entries(self._read(name)))
        extends = own.pop("extends", None)
        chain = (*chain, name)
        tree = Node(own, Place(self._file(own, extends)))
        if "budget" in own:
            own["budget"] = Node({name: own["budget"]}, own["budget"].place)
        parents = parse_extends(extends) if extends else ()
        self._check(name, parents, chain)
        self.parents[name] = tuple(parent for parent, _ in parents)
        resolved = [self._resolve(parent, chain) for parent, _ in parents]
        if resolved:
            combined = reduce(lambda base, top: merge(base, top, Mode.FOLD), resolved)
            tree = merge(combined, tree, Mode.CHILD)
        self._resolved[name] = tree
        return tree

    @staticmethod
    def _file(own: Entries, extends: Node | None) -> str:
        first = extends or next(iter(own.values()), None)
        return first.place.file if first else NOWHERE.file

    def _check(self, name: str, parents: Sequence[tuple[str, Node]], chain: tuple[str, ...]) -> None:
        """All entries of one list, before any of them is resolved."""
        for parent, node in parents:
            if parent == name:
                fail(node, f"bottle {name!r} extends itself: remove the self-reference")
            if parent not in self._names:
                fail(node, f"parent bottle {parent!r} is not defined. Available: {listed(self._names)}")
        for parent, node in parents:
            if parent in chain:
                ring = " -> ".join((*chain[chain.index(parent) :], parent))
                fail(node, f"bottle {parent!r} is in an extends cycle: {ring}: remove one of them")
            if len(chain) > MAX_CHAIN:
                fail(node, f"extends more than {MAX_CHAIN} bottles deep: merge some of them into one")


def parse_extends(node: Node) -> tuple[tuple[str, Node], ...]:
    """The parents that an ``extends`` value names, each with its node; checks the shape alone."""
    if isinstance(node.value, str):
        items = [node]
    elif isinstance(node.value, list):
        items = node.value
        if not items:
            fail(node, "must not be empty: name a bottle or remove the key")
        for index, item in enumerate(items):
            if not isinstance(item.value, str):
                raise ManifestError(f"extends[{index}] must be a string, not {kind(item.value)}", item.place)
    else:
        fail(node, f"must be a string or list of strings, not {kind(node.value)}")
    for item in items:
        if not item.value:
            fail(item, "must not be empty: name a bottle or remove it")
    return tuple((item.value, item) for item in items)
