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
from bot_bottle.store.layout import default_layout
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

databases.keep_in(PatternCache(default_layout().patterns))
arming.preload()  # two seconds once, then a tenth of one; no secret is in it

PROXY = "proxy"

KINDS: Mapping[str, Kind] = {
    PROXY: Kind(name="bottle-proxy", run=_proxy, network=True),
}


def start_proxy(spec: SidecarSpec, fds: tuple[int, ...], report: int) -> NoReturn:
    """The entry for ``controller.zygote``."""
    boot.become(KINDS[PROXY], spec, fds, report)
