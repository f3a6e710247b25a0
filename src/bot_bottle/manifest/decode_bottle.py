"""A bottle's tree onto a :class:`Bottle`. Pure.

A single file is only *checked* (a repository may leave fields to a parent); the merged tree is decoded.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence

from bot_bottle.egress.hosts import BadHost, canonical_route_host
from bot_bottle.manifest.decode_budget import budgets
from bot_bottle.manifest.decode_egress import egress
from bot_bottle.manifest.decode_git import check_repos, git_user, repos
from bot_bottle.manifest.decode_provider import agent_provider
from bot_bottle.manifest.extends import parse_extends
from bot_bottle.manifest.fields import (
    boolean,
    choice,
    fail,
    integer,
    kind,
    known_keys,
    mapping,
    number,
    optional,
    required,
    size,
    string,
    strings,
)
from bot_bottle.manifest.keys import below
from bot_bottle.manifest.paths import Paths
from bot_bottle.manifest.schema import (
    Bottle,
    BudgetScope,
    EgressConfig,
    EnvEntry,
    EnvSource,
    GitUser,
    HostDirectory,
    HostVariable,
    Literal,
    Package,
    Prompt,
    ProviderConfig,
    Resources,
    Shutdown,
    ToolSource,
    Workspace,
    WorkspaceMode,
)
from bot_bottle.manifest.tree import Node

MAX_CPUS = 4096
MAX_PIDS = 4_194_304
"""Linux's PID_MAX_LIMIT on 64 bit (proc(5), /proc/sys/kernel/pid_max)."""

_ENV_NAME = re.compile(r"[^=\x00-\x20\x7f]+\Z")
_INTERPOLATED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}\Z")
_PACKAGE = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@._/+-]*\Z")


def check_bottle_file(tree: Node, paths: Paths) -> None:
    """Raise :class:`ManifestError` for anything that is wrong in one bottle file by itself."""
    entries = _entries(tree)
    if "extends" in entries:
        parse_extends(entries["extends"])
    if "budget" in entries:
        budgets(entries["budget"])
    gate = entries.get("git-gate")
    if gate:
        gate_entries = known_keys(gate, below("bottle", "git-gate"))
        if "repos" in gate_entries:
            check_repos(gate_entries["repos"], paths)
    _decode(entries, paths, {"user"})


def decode_bottle(tree: Node, paths: Paths, scopes: Sequence[str]) -> Bottle:
    """The effective bottle out of a merged tree, whose ``budget`` has a mapping for each of *scopes*."""
    entries = _entries(tree)
    bottle, entries = _decode(entries, paths, {"user", "repos"})
    set_by = mapping(entries["budget"]) if "budget" in entries else {}
    found = tuple(BudgetScope(name, budgets(set_by[name])) for name in scopes if name in set_by)
    return Bottle(**bottle, budgets=found, tree=Node(entries, tree.place))  # type: ignore[arg-type]


def _entries(tree: Node) -> dict[str, Node]:
    if isinstance(tree.value, dict) and "runtime" in tree.value:
        fail(
            tree.value["runtime"],
            "runtime is gone: the sandbox's runtime is chosen by the backend, not by "
            "the manifest; remove the key (and use --backend)",
        )
    return known_keys(tree, below("bottle"))


def _decode(
    source: dict[str, Node], paths: Paths, gate_keys: set[str]
) -> tuple[dict[str, object], dict[str, Node]]:
    """Fields of a Bottle, and the entries with the routes that were kept."""
    entries = dict(source)
    gate = known_keys(entries["git-gate"], below("bottle", "git-gate")) if "git-gate" in entries else {}
    policy = EgressConfig()
    if "egress" in entries:
        policy, entries["egress"] = egress(entries["egress"], paths)
    fields: dict[str, object] = {
        "env": optional(entries, "env", _env, {}),
        "agent_provider": optional(
            entries, "agent_provider", lambda node: agent_provider(node, paths), ProviderConfig()
        ),
        "git_user": optional(gate, "user", git_user, GitUser()),
        "egress": policy,
        "supervise": optional(entries, "supervise", boolean, True),
        "shutdown": optional(entries, "shutdown", lambda node: choice(node, Shutdown), None),
        "workspace": optional(entries, "workspace", lambda node: _workspace(node, paths), None),
        "resources": optional(entries, "resources", _resources, Resources()),
        "tools": optional(entries, "tools", lambda node: _tools(node, paths), ()),
    }
    if "repos" in gate_keys:
        fields["repos"] = optional(gate, "repos", lambda node: repos(node, paths), {})
    return fields, entries


def _env(node: Node) -> dict[str, EnvEntry]:
    return {name: _env_entry(name, child) for name, child in mapping(node).items() if name}


def _env_entry(name: str, node: Node) -> EnvEntry:
    if not _ENV_NAME.match(name):
        fail(node, f"{name!r} is not a variable's name: no white space, control characters or '='")
    if not isinstance(node.value, dict):
        return EnvEntry(name, _env_source(node))
    entries = known_keys(node, below("bottle", "env.*"))
    entry = EnvEntry(
        name,
        _env_source(required(node, entries, "value")),
        optional(entries, "allow_to", lambda child: tuple(_host(h) for h in _items(child)), ()),
    )
    if "allow_to" in entries and not entry.secret:
        fail(entries["allow_to"], "is for secrets ('?prompt' and '${HOST_VAR}'): remove it")
    return entry


def _items(node: Node) -> list[Node]:
    if not isinstance(node.value, list):
        fail(node, f"must be a list of hosts, not {kind(node.value)}")
    return node.value


def _host(node: Node) -> str:
    """A host, canonical as a route's."""
    try:
        return canonical_route_host(string(node))
    except BadHost as error:
        fail(node, f"is not a host name: {error}")


def _env_source(node: Node) -> EnvSource:
    text = node.value
    if not isinstance(text, str):
        fail(node, f"must be a string, not {kind(text)}: put it in quotes")
    if "\x00" in text:
        fail(node, "must not hold a NUL character")
    if text.startswith("?"):
        return Prompt(text[1:].strip())
    found = _INTERPOLATED.match(text)
    return HostVariable(found[1]) if found else Literal(text)


def _workspace(node: Node, paths: Paths) -> Workspace:
    entries = known_keys(node, below("bottle", "workspace"))
    path = optional(entries, "path", paths.directory, None)
    forbidden = {"/", "//", "~", os.path.normpath(paths.home) if paths.home else "/"}
    if path in forbidden:
        fail(entries["path"], f"must not be the home directory or /: name a directory below, not {path!r}")
    return Workspace(
        mode=optional(entries, "mode", lambda child: choice(child, WorkspaceMode), WorkspaceMode.COPY),
        path=path,
        exclude=optional(entries, "exclude", strings, ()),
        protect=optional(entries, "protect", strings, ()),
    )


def _resources(node: Node) -> Resources:
    entries = known_keys(node, below("bottle", "resources"))
    return Resources(
        cpus=optional(entries, "cpus", lambda child: number(child, most=MAX_CPUS), None),
        memory_bytes=optional(entries, "memory", size, None),
        pids=optional(entries, "pids", lambda child: integer(child, most=MAX_PIDS), None),
        disk_bytes=optional(entries, "disk", size, None),
    )


def _tools(node: Node, paths: Paths) -> tuple[ToolSource, ...]:
    if not isinstance(node.value, list):
        fail(node, f"must be a list of directories and packages, not {kind(node.value)}")
    return tuple(_tool(item, paths) for item in node.value)


def _tool(node: Node, paths: Paths) -> ToolSource:
    text = string(node)
    if text.startswith(("/", "~")):
        return HostDirectory(paths.directory(node))
    if not _PACKAGE.match(text) or ".." in text.split("/"):
        fail(node, f"must be a directory (absolute or ~/…) or a package's name, not {text!r}")
    return Package(text)
