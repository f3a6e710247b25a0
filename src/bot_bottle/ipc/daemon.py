"""What the operator's commands and the daemon say to each other, over ``controller.sock`` (0600).

One connection a command. The launching process keeps its own open for as long as its bottle lives: when
it ends without :class:`Finished`, the launcher was killed and the daemon reaps what it left.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bot_bottle.ipc.sidecar import KindName, SidecarSpec

PROTOCOL = 2
"""Both sides name it; a command of another version tells the person to stop the old daemon."""


class LaunchSidecar(msgspec.Struct, frozen=True, tag="launch-sidecar"):
    """Register the bottle, unless this connection has already, and fork its sidecar of the spec's kind.
    Descriptors: listener, control (the sidecar's end), secrets (reading end), log. The answer is
    :class:`Launched` (with a pidfd of the sidecar) or :class:`Failed`; further kinds may be asked for before
    it is there."""

    spec: SidecarSpec
    protocol: int = PROTOCOL


class Adopt(msgspec.Struct, frozen=True, tag="adopt"):
    """Register a bottle whose sidecars outlived an earlier daemon. Descriptors: a pidfd of each, in the order
    of *kinds*."""

    bottle: str
    kinds: tuple[KindName, ...] = ()
    protocol: int = PROTOCOL


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The bottle ended in good order; nothing is left to reap."""


class StatusRequest(msgspec.Struct, frozen=True, tag="status"):
    protocol: int = PROTOCOL


class Launched(msgspec.Struct, frozen=True, tag="launched"):
    sidecar_pid: int
    kind: KindName


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The request was carried out."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    reason: str


class Status(msgspec.Struct, frozen=True, tag="status-is"):
    pid: int
    version: str
    protocol: int
    bottles: tuple[str, ...]


Request: Any = LaunchSidecar | Adopt | Finished | StatusRequest
Reply: Any = Launched | Done | Failed | Status
