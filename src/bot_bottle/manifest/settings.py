"""``~/.bot-bottle/settings.yml``: what holds for the whole host. Read from the home directory alone; a
project's is never read (ruling 28). Which keys are enforced yet says ``unenforced``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bot_bottle.manifest.decode_budget import budgets, fractions
from bot_bottle.manifest.fields import choice, fail, integer, kind, known_keys, optional, string
from bot_bottle.manifest.keys import below
from bot_bottle.manifest.schema import Budget, Shutdown
from bot_bottle.manifest.source import DIRECTORY, parse, read_file
from bot_bottle.manifest.tree import ManifestError, Node, Place, from_data

FILE = "settings.yml"
MAX_LOGS_DAYS = 3650
MAX_WEIGHT = 1000

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}\Z")
_LISTENER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})\Z")
_LEDGER = re.compile(r"postgresql(?:\+psycopg)?://[!-~]+\Z")


class Gate(StrEnum):
    """When a request is refused for its budget: once it is used up, or also when it would not fit, by an
    estimate or by the provider's own count."""

    RESPONSE = "response"
    ESTIMATE = "estimate"
    EXACT = "exact"


@dataclass(frozen=True)
class Weights:
    """How much a token of each kind counts towards a budget."""

    input: float = 1.0
    output: float = 1.0
    cache_write: float = 1.0
    cache_read: float = 0.1


@dataclass(frozen=True)
class Settings:
    """``Settings()`` is what holds without a file."""

    budget: Mapping[str, Budget] = field(default_factory=dict)
    shutdown: Shutdown = Shutdown.CUTOFF
    gate: Gate = Gate.RESPONSE
    warn_at: tuple[float, ...] = (0.8,)
    weights: Weights = Weights()
    timezone: str | None = None
    """IANA name; None: the host's"""
    ledger: str = field(default="sqlite", repr=False)
    """may hold a password"""
    metrics: tuple[str, int] | None = None
    logs_days: int = 30
    kept_days: int = 30
    """how long a kept bottle rests before ``prune`` offers to remove it"""
    tree: Node = field(default_factory=Node, compare=False, repr=False)


def load_settings(home: Path) -> Settings:
    """The settings of *home* (the home directory itself); without a file the defaults.

    Raises :class:`ManifestError` with file, line and key path.
    """
    file = str(home / DIRECTORY / FILE)
    if not os.path.lexists(file):
        return Settings()
    return decode_settings(load_tree(file))


def load_tree(file: str) -> Node:
    """A settings file as a tree that nobody has checked. Raises :class:`ManifestError`."""
    data = read_file(file, follow=True)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManifestError("is not UTF-8: save it as UTF-8", Place(file, line)) from error
    document = parse(text, file)
    return from_data(document.data, file, lines=document)


def decode_settings(tree: Node) -> Settings:
    """A tree onto the typed value."""
    entries = known_keys(tree, below("settings"))
    default = Settings()
    return Settings(
        budget=optional(entries, "budget", budgets, default.budget),
        shutdown=optional(entries, "shutdown", lambda node: choice(node, Shutdown), default.shutdown),
        gate=optional(entries, "gate", lambda node: choice(node, Gate), default.gate),
        warn_at=optional(entries, "warn_at", fractions, default.warn_at),
        weights=optional(entries, "weights", _weights, default.weights),
        timezone=optional(entries, "timezone", _timezone, None),
        ledger=optional(entries, "ledger", _ledger, default.ledger),
        metrics=optional(entries, "metrics", _listener, None),
        logs_days=optional(entries, "logs_days", lambda n: integer(n, most=MAX_LOGS_DAYS), default.logs_days),
        kept_days=optional(entries, "kept_days", lambda n: integer(n, most=MAX_LOGS_DAYS), default.kept_days),
        tree=tree,
    )


def _weights(node: Node) -> Weights:
    entries = known_keys(node, below("settings", "weights"))
    return Weights(**{key: _weight(child) for key, child in entries.items()})


def _weight(node: Node) -> float:
    """0 or more: a kind of token may count nothing."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        fail(node, f"must be a number, not {kind(value)}")
    if not 0 <= value <= MAX_WEIGHT:
        fail(node, f"must be between 0 and {MAX_WEIGHT}")
    return float(value)


def _timezone(node: Node) -> str:
    """The shape alone: whether the host knows the zone is for whoever uses it."""
    name = string(node)
    if not _ZONE.match(name):
        fail(node, f"must be an IANA time zone such as Europe/Berlin, not {name!r}")
    return name


def _ledger(node: Node) -> str:
    url = string(node)
    if url != "sqlite" and not _LEDGER.match(url):
        fail(node, "must be sqlite or a URL such as postgresql+psycopg://host/database")
    return url


def _listener(node: Node) -> tuple[str, int]:
    found = _LISTENER.match(string(node))
    if not found or not 1 <= int(found[2]) <= 65535:
        fail(node, f"must be HOST:PORT such as 127.0.0.1:9464, not {node.value!r}")
    return found[1], int(found[2])
