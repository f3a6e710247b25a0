"""The one table of keys that this version reads but does not enforce (ruling 50): launch refuses them.

A key that is accepted and does nothing would be a hole that nobody sees. Whoever builds the enforcement of a
key deletes its row here. ``supervise`` is the one exception: it is said in the preflight (``render``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot_bottle.base.yamltext import KeyPath
from bot_bottle.manifest.load import Loaded
from bot_bottle.manifest.schema import BUILT_IN_TEMPLATES
from bot_bottle.manifest.settings import Settings
from bot_bottle.manifest.tree import ManifestError, Node, walk

REMOVE = "remove it"


@dataclass(frozen=True)
class Row:
    """``pattern``: a key path with ``*`` for one name and ``[]`` for one list item, as in ``keys``.

    ``enforced``: which values of the key are enforced all the same; None: none is.
    """

    pattern: str
    enforced: Callable[[object], bool] | None = None
    fix: str = REMOVE


def _one_of(*values: object) -> Callable[[object], bool]:
    """Equal and of the same type: 0 is not false."""
    return lambda value: any(value == known and type(value) is type(known) for known in values)


def _directory(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("/", "~"))


_ROUTE = "egress.routes[]"

BOTTLE = (
    Row(
        "agent_provider.template", _one_of(*BUILT_IN_TEMPLATES), f"use one of {', '.join(BUILT_IN_TEMPLATES)}"
    ),
    Row("agent_provider.dockerfile", _one_of("")),
    Row("egress.upstream_proxy"),
    Row("egress.provider_features"),
    Row("egress.provider_schema"),
    Row(f"{_ROUTE}.meter"),
    Row("budget.*.*"),
    Row("shutdown"),
    Row("workspace.mode", _one_of("copy", "none"), "use copy or none"),
    Row("workspace.protect"),
    Row("tools[]", _directory, "name a directory"),
)
"""Of the merged bottle, whose ``budget`` has one mapping for each bottle file."""

AGENT = (Row("budget.*"),)

TEMPLATES_WITH_SKILLS = ("claude", "codex", "pi")
"""Of the templates that can be launched, those whose plan copies ``skills``."""

SETTINGS = (
    Row("budget.*"),
    Row("shutdown"),
    Row("gate"),
    Row("warn_at"),
    Row("weights.*"),
    Row("timezone"),
    Row("ledger"),
    Row("metrics"),
)


def refuse_unenforced(loaded: Loaded) -> None:
    """Raise :class:`ManifestError` with file and line for the first key of the bottle or its agent that this
    version does not enforce. Called by every launch, before anything is made."""
    _refuse(loaded.bottle.tree, BOTTLE)
    _refuse(loaded.agent.tree, AGENT)
    template = loaded.bottle.agent_provider.template
    if loaded.agent.skills and template not in TEMPLATES_WITH_SKILLS:
        raise ManifestError(
            f"is not enforced by this version for template {template!r}: {REMOVE}",
            loaded.agent.place("skills"),
        )


def refuse_unenforced_settings(settings: Settings) -> None:
    """The same for the host's settings."""
    _refuse(settings.tree, SETTINGS)


def unenforced(tree: Node, rows: tuple[Row, ...]) -> Iterator[tuple[Node, Row]]:
    """The nodes of *tree* that a row refuses, with that row, in the order that they are written in."""
    by_pattern = {tuple(_steps(row.pattern)): row for row in rows}
    for path, node in walk(tree):
        row = _match(by_pattern, path)
        if row and not (row.enforced and row.enforced(node.value)):
            yield node, row


def _refuse(tree: Node, rows: tuple[Row, ...]) -> None:
    for node, row in unenforced(tree, rows):
        raise ManifestError(f"is not enforced by this version: {row.fix}", node.place)


def _steps(pattern: str) -> Iterator[str]:
    for name in pattern.split("."):
        if name.endswith("[]"):
            yield name.removesuffix("[]")
            yield "[]"
        else:
            yield name


def _match(rows: dict[tuple[str, ...], Row], path: KeyPath) -> Row | None:
    for steps, row in rows.items():
        if len(steps) == len(path) and all(map(_fits, steps, path)):
            return row
    return None


def _fits(step: str, found: str | int) -> bool:
    return step == "[]" if isinstance(found, int) else step in ("*", found)
