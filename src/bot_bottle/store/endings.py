"""``ended/<identity>.json``: how a bottle's session ended while nobody was attached to it.

Written by the session process as its last deed, shown by ``list active`` until somebody has seen it
(``attach``) or the bottle is started again. Readers never raise on content.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bot_bottle.base.ids import BadIdentity
from bot_bottle.store.files import (
    StoreError,
    atomic_write,
    make_directory,
    make_home,
    read_object,
    write_object,
)
from bot_bottle.store.layout import Layout

RESERVE_NAME = "reserve"
RESERVE_BYTES = 64 * 1024
"""An ending has some 5 KiB, twice while it is written, and directories of their own."""

MAX_KEPT = 100
"""The newest; who has not looked at the others will not."""
_SUFFIX = ".json"


@dataclass(frozen=True)
class Ending:
    """One session's end."""

    identity: str
    name: str = ""
    """``label (agent)``, or the agent"""
    agent: str = ""
    label: str = ""
    bottles: tuple[str, ...] = ()
    color: str = ""
    backend: str = ""
    started_at: str = ""
    ended_at: str = ""
    exit_status: int = 0
    """of the session: 0, or why it ended otherwise than by its agent; 128 + n: somebody ended it by a signal"""
    status: int | None = None
    """the agent's; None: it did not end by itself"""
    screen: str = ""
    """the log with the end of what it printed"""
    said: tuple[str, ...] = ()
    """the session's last messages"""


def reserve(layout: Layout, identity: str) -> None:
    """Put disk space by for :func:`write`: the bottle may fill the disk until then. Best effort."""
    with contextlib.suppress(StoreError):
        atomic_write(layout.state(identity) / RESERVE_NAME, os.urandom(RESERVE_BYTES))


def release(layout: Layout, identity: str) -> None:
    """Give the space back, just before it is needed; idempotent."""
    with contextlib.suppress(OSError):
        (layout.state(identity) / RESERVE_NAME).unlink()


def write(layout: Layout, ending: Ending) -> None:
    """Raises ``StoreError``."""
    make_home(layout.home)
    make_directory(layout.endings, 0o700)
    write_object(layout.ending(ending.identity), dataclasses.asdict(ending))
    for path in sorted(layout.endings.glob("*" + _SUFFIX), key=_age)[MAX_KEPT:]:
        with contextlib.suppress(OSError):
            path.unlink()


def read(layout: Layout, identity: str) -> Ending | None:
    """How *identity* ended; None: nothing (readable) is recorded, or somebody has seen it."""
    try:
        data = read_object(layout.ending(identity))
    except BadIdentity:
        return None
    if data is None:
        return None
    texts = {
        name: _text(data.get(name))
        for name in ("name", "agent", "label", "color", "backend", "started_at", "ended_at", "screen")
    }
    return Ending(
        identity,
        **texts,
        exit_status=_status(data.get("exit_status")) or 0,
        status=_status(data.get("status")),
        bottles=_texts(data.get("bottles")),
        said=_texts(data.get("said")),
    )


def read_all(layout: Layout) -> list[Ending]:
    """Every one, sorted by identity."""
    try:
        names = sorted(os.listdir(layout.endings))
    except OSError:
        return []
    found = (read(layout, name.removesuffix(_SUFFIX)) for name in names if name.endswith(_SUFFIX))
    return [ending for ending in found if ending is not None]


def forget(layout: Layout, identity: str) -> None:
    """It has been seen, or is started again; idempotent."""
    with contextlib.suppress(OSError):
        layout.ending(identity).unlink()


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0


def _text(value: object) -> str:
    return value if isinstance(value, str) and "\0" not in value else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()


def _status(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255 else None
