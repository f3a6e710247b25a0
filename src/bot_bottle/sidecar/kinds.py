"""The kinds of process beside a bottle, one table; a further kind is a further entry.

The preloaded parent imports this module, and by it all that a sidecar needs.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from bot_bottle.base import yamlread
from bot_bottle.dlp import databases
from bot_bottle.ipc.sidecar import SidecarSpec
from bot_bottle.sidecar import boot, view
from bot_bottle.sidecar.boot import Descriptors, Kind
from bot_bottle.sidecar.proxy import arming, process
from bot_bottle.store.pattern_cache import PatternCache


def _proxy(spec: SidecarSpec, fds: Descriptors) -> int:
    return process.run(
        spec,
        listener=socket.socket(fileno=fds.listener),
        control=socket.socket(fileno=fds.control),
        link=socket.socket(fileno=fds.link),
        secrets=fds.secrets,
        log=fds.log,
        egress_dir=Path(view.EGRESS),
    )


PRELOADED = (yamlread,)
"""Imported by a sidecar's own code only when it is needed; after the fork that would be paid by each."""

PROXY = "proxy"

KINDS: Mapping[str, Kind] = {
    PROXY: Kind(name="bottle-proxy", run=_proxy, network=True),
}


def prepare(patterns: str) -> None:
    """In the process that forks sidecars: make what all of them share, with no secret in it. Compiled patterns are
    kept in the directory *patterns*: two seconds once, then a fifth of one. No sidecar writes there."""
    databases.keep_in(PatternCache(Path(patterns)))
    arming.preload()
    databases.keep_in(None)


def start_proxy(spec: SidecarSpec, fds: tuple[int, ...], report: int) -> NoReturn:
    """The entry for ``controller.zygote``."""
    boot.become(KINDS[PROXY], spec, fds, report)
