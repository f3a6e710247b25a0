"""``confirmed.json``: project files that the operator has looked at and taken, each by its content (ruling 49).

A file that changes is another one. Reading never raises: what is damaged counts as not confirmed.
"""

from __future__ import annotations

from typing import Any

from bot_bottle.store.files import make_home, read_object, write_object
from bot_bottle.store.layout import Layout

FILE = "confirmed.json"
MAX_ENTRIES = 1000
"""The oldest go: whoever has more projects is asked again."""


def is_confirmed(layout: Layout, file: str, sha256: str) -> bool:
    """Whether the operator has taken *file* with exactly that content."""
    return bool(sha256) and _read(layout).get(file) == sha256


def confirm(layout: Layout, file: str, sha256: str) -> None:
    """Remember it. Raises ``StoreError``. Of two at once one may be forgotten, and is asked about again."""
    make_home(layout.home)
    entries = _read(layout)
    entries.pop(file, None)
    entries[file] = sha256
    write_object(layout.home / FILE, {"agents": dict(list(entries.items())[-MAX_ENTRIES:])})


def _read(layout: Layout) -> dict[str, Any]:
    found = (read_object(layout.home / FILE) or {}).get("agents")
    return dict(found) if isinstance(found, dict) else {}
