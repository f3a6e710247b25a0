"""An agent's front matter and body onto an :class:`Agent`. Pure."""

from __future__ import annotations

import re

from bot_bottle.manifest.decode_budget import budgets
from bot_bottle.manifest.decode_git import git_user
from bot_bottle.manifest.fields import fail, kind, known_keys, optional, string
from bot_bottle.manifest.keys import TOLERATED_AGENT_KEYS, below
from bot_bottle.manifest.schema import Agent, AgentSource, GitUser
from bot_bottle.manifest.tree import Node

_SKILL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")


def decode_agent(name: str, tree: Node, prompt: str, source: AgentSource) -> Agent:
    """The agent *name*; *prompt* is its body, stripped."""
    entries = known_keys(tree, (*below("agent"), *TOLERATED_AGENT_KEYS))
    gate = entries.get("git-gate")
    gate_entries = {}
    if gate:
        if isinstance(gate.value, dict) and "repos" in gate.value:
            fail(gate.value["repos"], "repos belong to bottles: move it to a file in ~/.bot-bottle/bottles")
        gate_entries = known_keys(gate, below("agent", "git-gate"))
    return Agent(
        name=name,
        bottle=optional(entries, "bottle", string, None),
        skills=optional(entries, "skills", _skills, ()),
        git_user=optional(gate_entries, "user", git_user, GitUser()),
        budget=optional(entries, "budget", budgets, {}),
        prompt=prompt,
        source=source,
        tree=tree,
    )


def _skills(node: Node) -> tuple[str, ...]:
    if not isinstance(node.value, list):
        fail(node, f"must be an array of strings, not {kind(node.value)}")
    return tuple(_skill(item) for item in node.value)


def _skill(node: Node) -> str:
    """The name of one directory: a project's agent must not name a path of the host's (``../../.ssh``)."""
    name = string(node)
    if not _SKILL.match(name) or ".." in name:
        fail(node, f"must be the name of a directory in ~/.claude/skills, not {name!r}")
    return name
