"""Every backend, by name; the one place that knows them all, and how one is chosen (spec: cli, section 2)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from bot_bottle.sandbox.backends.bubblewrap import BubblewrapBackend
from bot_bottle.sandbox.contract import Backend, SandboxError
from bot_bottle.store.layout import Layout

BACKENDS: Mapping[str, Callable[[str], Backend]] = {
    BubblewrapBackend.name: BubblewrapBackend,
}
"""Name to constructor; the argument is the scope that keeps one state root's things apart from another's."""

NOT_YET = frozenset({"docker", "macos-container", "smolmachines", "kubernetes"})
"""Known names that this version does not have."""

DEFAULT = BubblewrapBackend.name
VARIABLE = "BOT_BOTTLE_BACKEND"


def choose(flag: str | None, recorded: str | None = None) -> str:
    """``--backend``, else what the launch record says, else ``BOT_BOTTLE_BACKEND``, else bubblewrap."""
    name = flag or recorded or os.environ.get(VARIABLE) or DEFAULT
    if name in NOT_YET:
        raise SandboxError(f"backend {name!r} is not in this version: use {', '.join(sorted(BACKENDS))}")
    if name not in BACKENDS:
        known = ", ".join(sorted(BACKENDS.keys() | NOT_YET))
        raise SandboxError(f"no backend is called {name!r}: known are {known}")
    return name


def make_backend(layout: Layout, name: str | None = None) -> Backend:
    """The backend *name* (None: :func:`choose`) for this state root."""
    return BACKENDS[choose(name)](layout.run.name)


def all_backends(layout: Layout) -> dict[str, Backend]:
    """One of each, for reaping and for ``doctor``."""
    return {name: make(layout.run.name) for name, make in BACKENDS.items()}
