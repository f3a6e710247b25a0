"""The kinds of process beside a bottle, one table; a further kind is a further entry.

The preloaded parent imports this module, and by it all that a sidecar needs.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from bot_bottle.base import yamlread
from bot_bottle.base.seccomp import Profile
from bot_bottle.dlp import databases
from bot_bottle.ipc.sidecar import KindName, SidecarSpec
from bot_bottle.sidecar import boot, view
from bot_bottle.sidecar.boot import Descriptors, Kind
from bot_bottle.sidecar.confine import Limits
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


def _gate(spec: SidecarSpec, fds: Descriptors) -> int:
    from bot_bottle.sidecar.gate.process import run  # a bottle without repositories pays nothing for it

    return run(
        spec,
        listener=socket.socket(fileno=fds.listener),
        control=socket.socket(fileno=fds.control),
        link=socket.socket(fileno=fds.link),
        secrets=fds.secrets,
        log=fds.log,
        told_dir=Path(view.TOLD),
        run_dir=Path(view.RUN),
    )


PRELOADED = (yamlread,)
"""Imported by a sidecar's own code only when it is needed; after the fork that would be paid by each."""

KINDS: Mapping[KindName, Kind] = {
    "proxy": Kind(
        name="bottle-proxy",
        run=_proxy,
        network=True,
        # Its log bounds itself far below the size of a file. Descriptors: 10,240 idle and 512 active connections
        # with two sockets each (ruling 67), and room.
        limits=Limits(file_bytes=256 * 2**20, open_files=32_768),
    ),
    "gate": Kind(
        name="bottle-gate",
        run=_gate,
        network=True,
        # A pack may be gigabytes, with git's index beside it; a git and its sandbox are some ten processes.
        limits=Limits(file_bytes=16 * 2**30, open_files=4096, processes=1024),
        profile=Profile.GATE,
        sees=view.of_gate,
    ),
}


def prepare(patterns: str) -> None:
    """In the process that forks sidecars: make what all of them share, with no secret in it. Compiled patterns are
    kept in the directory *patterns*: two seconds once, then a fifth of one. No sidecar writes there."""
    databases.keep_in(PatternCache(Path(patterns)))
    arming.preload()
    databases.keep_in(None)


def start(spec: SidecarSpec, fds: tuple[int, ...], report: int) -> NoReturn:
    """The entry for ``controller.zygote``."""
    boot.become(KINDS[spec.kind], spec, fds, report)
