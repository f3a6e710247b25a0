"""``budget``: a mapping of provider key to tokens; the same in bottles, agents and settings. Pure."""

from __future__ import annotations

import re

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
)
from bot_bottle.manifest.keys import below
from bot_bottle.manifest.schema import Budget, Period
from bot_bottle.manifest.tree import Node

_PROVIDER = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62})\Z")


def budgets(node: Node) -> dict[str, Budget]:
    """Provider key to budget."""
    out = {}
    for provider, child in mapping(node).items():
        if not _PROVIDER.match(provider):
            fail(child, f"provider key {provider!r} must be lower-case letters, digits, '.', '_' and '-'")
        out[provider] = _budget(child)
    return out


def fractions(node: Node) -> tuple[float, ...]:
    """``warn_at``: shares of a budget, each above 0 and at most 1."""
    if not isinstance(node.value, list):
        fail(node, f"must be a list of fractions such as [0.5, 0.8], not {kind(node.value)}")
    return tuple(number(item, most=1) for item in node.value)


def _budget(node: Node) -> Budget:
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return Budget(integer(node))
    if not isinstance(node.value, dict):
        fail(node, f"must be a number of tokens or {{tokens, per}}, not {kind(node.value)}")
    entries = known_keys(node, below("bottle", "budget.*"))
    return Budget(
        tokens=integer(required(node, entries, "tokens")),
        per=optional(entries, "per", lambda child: choice(child, Period), None),
        warn_at=optional(entries, "warn_at", fractions, ()),
        hard=optional(entries, "hard", boolean, False),
    )
