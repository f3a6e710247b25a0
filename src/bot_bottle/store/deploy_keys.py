"""``deploy-keys.json``: which keys a bottle has registered at a forge, written before each is (spec git-gate §1).

A key stands here from before the forge is asked until the forge says that it is gone; so whatever is killed
when, it can be found and revoked. No secret is in it. As long as the file is there the state directory is kept
(``store.bottles.is_preserved``). States of one entry:

=========  =====================================  ==========================
``id``     what is so                             how it is found at the forge
=========  =====================================  ==========================
0          about to be registered, or just was    by fingerprint in the list
> 0        registered                             by its id
=========  =====================================  ==========================
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from bot_bottle.base.text import printable
from bot_bottle.store.files import StoreError, read_object, write_object

DEPLOY_KEYS_NAME = "deploy-keys.json"
VERSION = 1


@dataclass(frozen=True)
class DeployKeyRecord:
    """One key."""

    forge: str
    """``manifest.schema.Forge``"""
    api_url: str
    """the API's base, with its own path"""
    repository: str
    title: str
    fingerprint: str
    """``SHA256:…`` of the public half, as ``ssh-keygen -l`` has it"""
    token_ref: str
    """the host variable with the token that made it"""
    extra_ca: str = ""
    """a file with further roots that the forge's certificate may come from"""
    id: int = 0
    """the forge's; 0: not known"""

    def __str__(self) -> str:
        number = f"id {self.id}, " if self.id else ""
        return printable(f"{self.title!r} ({number}{self.repository} at {self.api_url})", limit=500)


def has_deploy_keys(state: Path) -> bool:
    """Whether the bottle may have left keys at a forge."""
    return os.path.lexists(state / DEPLOY_KEYS_NAME)


def read_deploy_keys(state: Path) -> tuple[DeployKeyRecord, ...]:
    """The keys that the bottle of *state* may have left. Raises :class:`StoreError` for a file that can't be
    read: it is not known then what it named."""
    path = state / DEPLOY_KEYS_NAME
    if not os.path.lexists(path):
        return ()
    data = read_object(path)
    keys = data.get("keys") if data is not None else None
    if data is None or data.get("version") != VERSION or not isinstance(keys, list):
        raise _damaged(path)
    return tuple(_record(path, item) for item in keys)


def described(state: Path) -> str:
    """For people."""
    try:
        return ", ".join(str(key) for key in read_deploy_keys(state))
    except StoreError as error:
        return str(error)


def write_deploy_keys(state: Path, keys: Sequence[DeployKeyRecord]) -> None:
    """Record exactly *keys* (0600, atomic, synced); none: the file goes. Raises :class:`StoreError`."""
    path = state / DEPLOY_KEYS_NAME
    if keys:
        write_object(path, {"version": VERSION, "keys": [asdict(key) for key in keys]})
        return
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be removed: {error.strerror}") from error


def _record(path: Path, item: object) -> DeployKeyRecord:
    types = {field.name: int if field.name == "id" else str for field in fields(DeployKeyRecord)}
    if not isinstance(item, dict) or item.keys() != types.keys():
        raise _damaged(path)
    if not all(type(item[name]) is kind for name, kind in types.items()):
        raise _damaged(path)
    return DeployKeyRecord(**item)


def _damaged(path: Path) -> StoreError:
    return StoreError(
        f"{str(path)!r} can't be read: revoke the deploy keys of this bottle at the forge (their titles begin "
        "with 'bot-bottle'), then delete the file"
    )
