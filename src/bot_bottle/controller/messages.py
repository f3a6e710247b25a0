"""What the daemon and its preloaded parent say to each other over their socket pair."""

from __future__ import annotations

from typing import Any

import msgspec

from bot_bottle.ipc.sidecar import SidecarSpec


class Fork(msgspec.Struct, frozen=True, tag="fork"):
    """Fork a sidecar. Descriptors: those of ``ipc.sidecar.SIDECAR_FDS``. One request at a time."""

    spec: SidecarSpec


class Preloaded(msgspec.Struct, frozen=True, tag="preloaded"):
    """Said once: the imports are done, forks are quick from here on."""


class Forked(msgspec.Struct, frozen=True, tag="forked"):
    """Descriptor: a pidfd of the sidecar."""

    pid: int


class ForkFailed(msgspec.Struct, frozen=True, tag="fork-failed"):
    """Nothing is running."""

    reason: str


FromParent: Any = Preloaded | Forked | ForkFailed
