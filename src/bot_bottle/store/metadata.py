"""``metadata.json``: how a bottle was launched, so that ``resume`` can do it again.

No value of a credential is in it: names of host variables only. The writer fails loudly. The reader never
raises on content: a damaged file is "nothing recorded", a damaged field its default, an unknown field is
ignored; old records lack newer fields and keep working.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot_bottle.store.files import read_object, write_object

METADATA_NAME = "metadata.json"


@dataclass(frozen=True)
class RunPlan:
    """What flags decided (``run``, ``start … -- argv``): enough to launch again without an agent file."""

    argv: tuple[str, ...] = ()
    """what stood behind ``--``"""
    task: str = ""
    """``-p TEXT``"""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """the provider's settings, plain data"""
    auth_token: str = ""
    """name of the host variable with the provider's credential"""
    auth_kind: str = ""
    routes_file: str = ""
    """``--routes FILE`` as an absolute path"""
    allow: tuple[str, ...] = ()
    """``--allow HOST``, as given"""
    auth: tuple[str, ...] = ()
    """``--auth HOST=SCHEME:ENV``, as given: a variable's name, no value"""
    routes: tuple[Mapping[str, Any], ...] = ()
    """the resolved routes, plain data; a credential is a variable's name"""
    env: Mapping[str, str] = field(default_factory=dict)
    """literal values that the operator wrote, by name"""
    env_from_host: Mapping[str, str] = field(default_factory=dict)
    """name inside to the host variable that it is taken from"""
    env_asked: tuple[str, ...] = ()
    """names whose value is asked for at each launch"""
    connect_to: tuple[str, ...] = ()
    """``HOST:PORT:ADDRESS:PORT``, as given"""
    extra_ca: tuple[str, ...] = ()
    """paths of PEM files"""
    exclude: tuple[str, ...] = ()
    """workspace globs"""
    workdir: str = ""
    """directory inside that the agent starts in"""


@dataclass(frozen=True)
class Metadata:
    """The launch record of one bottle. Every field has a default, which is what a damaged one reads as."""

    identity: str
    """always the directory's name, whatever the file says"""
    agent_name: str = ""
    cwd: str = ""
    """directory that the command was given in; empty: unknown, ``resume`` uses the current one"""
    copy_cwd: bool = False
    started_at: str = ""
    """ISO 8601, UTC"""
    compose_project: str = ""
    backend: str = ""
    """empty in old records: docker"""
    label: str = ""
    color: str = ""
    bottle_names: tuple[str, ...] = ()
    """in order; empty: the agent's default bottle"""
    provider: str = ""
    """the provider's template"""
    launch_id: str = ""
    """kept over resumes: budgets are booked on it"""
    uid: int | None = None
    """host uid of everything inside; None: the operator's own"""
    sidecar_uid: int | None = None
    workspace_mode: str = "none"
    workspace_path: str = ""
    """host directory that was copied in"""
    layers: tuple[str, ...] = ()
    """names of the overlay layers that the guest directory has: ``root``, ``home``, ``workspace``"""
    plan: RunPlan | None = None
    """what flags decided; None where manifests say it all"""
    version: str = ""
    """of the product that wrote this"""


def write_metadata(state: Path, metadata: Metadata) -> None:
    """Write ``metadata.json`` (0600) into the state directory. Raises ``StoreError``."""
    write_object(state / METADATA_NAME, dataclasses.asdict(metadata))


def read_metadata(state: Path) -> Metadata | None:
    """What is recorded in the state directory; None when there is nothing readable. Never raises."""
    data = read_object(state / METADATA_NAME)
    if data is None:
        return None
    values = _fields(data, _METADATA_READERS)
    plan = data.get("plan")
    if isinstance(plan, dict):
        values["plan"] = RunPlan(**_fields(plan, _PLAN_READERS))
    return Metadata(identity=state.name, **values)


_Reader = Callable[[Any], Any]
"""Turns a JSON value into a field's; None: of another type, take the default."""


def _text(value: Any) -> Any:
    return value if isinstance(value, str) and "\0" not in value else None


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _uid(value: Any) -> Any:
    is_uid = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**32 - 1
    return value if is_uid else None


def _texts(value: Any) -> Any:
    return tuple(item for item in value if _text(item) is not None) if isinstance(value, list) else None


def _text_map(value: Any) -> Any:
    if not isinstance(value, dict):
        return None
    return {name: item for name, item in value.items() if _text(item) is not None}


def _plain_map(value: Any) -> Any:
    return value if isinstance(value, dict) else None


def _plain_maps(value: Any) -> Any:
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else None


_METADATA_READERS: Mapping[str, _Reader] = {
    "agent_name": _text, "cwd": _text, "copy_cwd": _flag, "started_at": _text, "compose_project": _text,
    "backend": _text, "label": _text, "color": _text, "bottle_names": _texts, "provider": _text,
    "launch_id": _text, "uid": _uid, "sidecar_uid": _uid, "workspace_mode": _text, "workspace_path": _text,
    "layers": _texts, "version": _text,
}  # fmt: skip
_PLAN_READERS: Mapping[str, _Reader] = {
    "argv": _texts, "task": _text, "settings": _plain_map, "auth_token": _text, "auth_kind": _text,
    "routes_file": _text, "allow": _texts, "auth": _texts, "routes": _plain_maps, "env": _text_map,
    "env_from_host": _text_map, "env_asked": _texts, "connect_to": _texts, "extra_ca": _texts,
    "exclude": _texts, "workdir": _text,
}  # fmt: skip


def _fields(data: Mapping[str, Any], readers: Mapping[str, _Reader]) -> dict[str, Any]:
    read = {name: reader(data[name]) for name, reader in readers.items() if name in data}
    return {name: value for name, value in read.items() if value is not None}
