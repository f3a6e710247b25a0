"""One agent and one effective bottle out of an index; content is read only here, and only what is needed.

Two sources, the same rules: files (:func:`source.resolve`) and a mapping that a program made
(:func:`from_mapping`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot_bottle.manifest.decode_agent import decode_agent
from bot_bottle.manifest.decode_bottle import check_bottle_file, decode_bottle
from bot_bottle.manifest.extends import Family, merge_user
from bot_bottle.manifest.fields import fail, known_keys, listed, mapping
from bot_bottle.manifest.paths import Paths
from bot_bottle.manifest.schema import Agent, AgentSource, Bottle, Origin
from bot_bottle.manifest.source import PATTERN, Entry, Index, is_name, read
from bot_bottle.manifest.tree import ManifestError, Node, from_data

MAPPING = "(mapping)"
"""What stands for the file name in errors of a program's manifest."""


@dataclass(frozen=True)
class Loaded:
    """What a launch gets, and all that a backend may see of the manifest."""

    agent: Agent
    bottle: Bottle
    bottle_names: tuple[str, ...]
    """the effective list in order: the selection, else the agent's default"""
    git_identity: str
    """``name=<v> (agent|bottle), email=<v> (agent|bottle)``; empty when neither is set"""
    warnings: tuple[str, ...] = ()


# -- looking names up
def require_agent(index: Index, name: str) -> Entry:
    """The agent's entry; nothing is read. Raises :class:`ManifestError` for an unknown name."""
    entry = index.agents.get(name)
    if entry is None:
        raise ManifestError(f"agent {name!r} is not defined. Available: {listed(index.agents)}")
    return entry


def require_bottle(index: Index, name: str) -> Entry:
    """As :func:`require_agent`, for a bottle that was selected."""
    entry = index.bottles.get(name)
    if entry is None:
        expected = f" (no file {index.bottles_directory}/{name}.md)" if index.bottles_directory else ""
        raise ManifestError(f"bottle {name!r} is not defined{expected}. Available: {listed(index.bottles)}")
    return entry


# -- loading
def load_agent(index: Index, name: str) -> Agent:
    """One agent, parsed; its default bottle is not looked at."""
    entry = require_agent(index, name)
    content = read(entry)
    source = AgentSource(entry.file, entry.origin, entry.shadows, content.sha256)
    tree, prompt = content.tree, content.body.strip()
    if entry.inline is not None:
        tree, prompt = _prompt(tree)
    return decode_agent(name, tree, prompt, source)


def load(
    index: Index, agent: str | None, bottles: Sequence[str] = (), *, trust_project: bool = False
) -> Loaded:
    """The agent *agent* (None: no agent, bottles alone) and the bottles in effect.

    *bottles* that are not empty replace the agent's default. The default of a *project's* agent is only a
    suggestion (ruling 33): it counts with *trust_project*, which says that a person confirmed it or that
    nothing is launched. Raises :class:`ManifestError`.
    """
    who = load_agent(index, agent) if agent is not None else Agent()
    names = tuple(bottles) or _default(index, who, trust_project)
    for name in names:
        require_bottle(index, name)
    return _loaded(index, who, names, _family(index))


def from_mapping(data: Mapping[str, object]) -> Index:
    """An index of ``{bottles: {NAME: {…}}, agents: {NAME: {…, prompt: text}}}``; all of it is validated now.

    The same keys and merge rules as in files. Paths that are relative stay so, and ``~`` stays.
    """
    tree = from_data(data, MAPPING)
    entries = known_keys(tree, ("agents", "bottles"))
    agents, bottles = (_inline(entries.get(key)) for key in ("agents", "bottles"))
    index = Index(agents, bottles)
    family = _family(index)
    for name in index.bottles:
        _loaded(index, Agent(), (name,), family)
    for name in index.agents:
        agent = load_agent(index, name)
        if agent.bottle is not None:
            _require_default(index, agent)
    return index


def _inline(node: Node | None) -> dict[str, Entry]:
    if node is None:
        return {}
    entries = {}
    for name, child in sorted(mapping(node).items(), key=lambda item: str(item[0])):
        if not isinstance(name, str) or not is_name(name):
            fail(child, f"name {name!r} must match {PATTERN.removesuffix('.md')}")
        entries[name] = Entry(name, MAPPING, Origin.PROGRAM, inline=child)
    return entries


def _prompt(tree: Node) -> tuple[Node, str]:
    entries = dict(mapping(tree))
    node = entries.pop("prompt", None)
    if node is None:
        return tree, ""
    if not isinstance(node.value, str):
        fail(node, "must be a string: put it in quotes")
    return Node(entries, tree.place), node.value.strip()


def _default(index: Index, agent: Agent, trust_project: bool) -> tuple[str, ...]:
    if not agent.name:
        raise ManifestError("no bottle is selected: pick at least one with --bottle NAME")
    if agent.bottle is None:
        raise ManifestError(
            f"agent {agent.name!r} has no default bottle and none is selected: pick at least one bottle with "
            "--bottle NAME, or add 'bottle: <name>' to the agent file",
            agent.place(),
        )
    _require_default(index, agent)
    if agent.source and agent.source.origin is Origin.PROJECT and not trust_project:
        raise ManifestError(
            f"a project's agent only suggests its bottle {agent.bottle!r}: confirm it with --bottle "
            f"{agent.bottle} or --trust-project",
            agent.place("bottle"),
        )
    return (agent.bottle,)


def _require_default(index: Index, agent: Agent) -> None:
    if agent.bottle not in index.bottles:
        raise ManifestError(
            f"agent {agent.name!r} names bottle {agent.bottle!r}, which is not defined. Available: "
            f"{listed(index.bottles, '(none defined)')}",
            agent.place("bottle"),
        )


def _family(index: Index) -> Family:
    paths = Paths(index.home)

    def checked(name: str) -> Node:
        tree = read(require_bottle(index, name)).tree
        check_bottle_file(tree, paths)
        return tree

    return Family(checked, index.bottle_names)


def _loaded(index: Index, agent: Agent, names: tuple[str, ...], family: Family) -> Loaded:
    tree = family.compose(names)
    bottle = decode_bottle(_with_identity(tree, agent), Paths(index.home), family.scopes(names))
    return Loaded(agent, bottle, names, _identity(agent, bottle), index.warnings)


# -- the git identity
def _user_node(tree: Node) -> Node | None:
    gate = mapping(tree).get("git-gate")
    return mapping(gate).get("user") if gate else None


def _with_identity(tree: Node, agent: Agent) -> Node:
    """The bottle's tree with the agent's ``git-gate.user`` laid over it, field by field."""
    user = _user_node(agent.tree)
    if user is None:
        return tree
    entries = dict(mapping(tree))
    gate = entries.get("git-gate", Node({}, user.place))
    below = mapping(gate).get("user")
    merged = merge_user(below, user) if below else user
    entries["git-gate"] = Node({**mapping(gate), "user": merged}, gate.place)
    return Node(entries, tree.place)


def _identity(agent: Agent, bottle: Bottle) -> str:
    parts = []
    for field in ("name", "email"):
        value = getattr(bottle.git_user, field)
        if value:
            parts.append(f"{field}={value} ({'agent' if getattr(agent.git_user, field) else 'bottle'})")
    return ", ".join(parts)
