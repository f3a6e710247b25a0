"""PROCESS: a sidecar's gate, already confined. Reads its keys once, serves until its launcher has gone.

Imported in the forked process: importing makes no event loop, thread or secret. It writes to its log, to its own
directory (mirrors, pushes while they are judged, questions), and to memory of its own (keys, working files).
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.gitgate.config import GateSpec
from bot_bottle.ipc.sidecar import (
    Ready,
    Refused,
    SidecarSecrets,
    SidecarSpec,
    TokensTaken,
)
from bot_bottle.sidecar import view
from bot_bottle.sidecar.control import Control, read_secrets, say
from bot_bottle.sidecar.gate import starting
from bot_bottle.sidecar.gate.confined import Confinement
from bot_bottle.sidecar.gate.looker import Looker
from bot_bottle.sidecar.gate.mirror import Mirror
from bot_bottle.sidecar.gate.server import GateServer
from bot_bottle.sidecar.gate.smart import SmartHttp
from bot_bottle.sidecar.gate.upstream import Upstreams
from bot_bottle.sidecar.gate.version import check_git
from bot_bottle.sidecar.proxy.heap import keep_heap_small
from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS
from bot_bottle.sidecar.proxy.log import EventLog, catch_strays
from bot_bottle.sidecar.proxy.server import connect_map


@dataclass(frozen=True)
class Places:
    """Where a gate works: all are its own."""

    told: Path = Path(view.TOLD)
    """what the host alone writes: answers, the operator's lease"""
    run: Path = Path(view.RUN)
    """on a disk"""
    keys: Path = Path(view.KEYS)
    """in memory, empty"""
    work: Path = Path(view.WORK)
    """in memory, empty"""

    @property
    def mirrors(self) -> Path:
        return self.run / "mirrors"

    @property
    def incoming(self) -> Path:
        return self.run / "incoming"


def run(
    spec: SidecarSpec,
    *,
    listener: socket.socket,
    control: socket.socket,
    link: socket.socket,
    secrets: int,
    log: int,
    told_dir: Path = Path(view.TOLD),
    run_dir: Path = Path(view.RUN),
    keys_dir: Path = Path(view.KEYS),
    work_dir: Path = Path(view.WORK),
) -> int:
    """Serve one bottle; returns the exit status when the control socket has ended or said to drain.

    All descriptors are owned from here on. 1: it could not start; the reason went over *control*.
    """
    places = Places(told_dir, run_dir, keys_dir, work_dir)
    events = EventLog(log, DEFAULT_LIMITS)
    keep_heap_small()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            given = read_secrets(secrets)
        except (OSError, ValueError) as error:
            say(control, Refused(str(error)))
            return 1
        return runner.run(_serve(spec, given, places, events, listener, control, link))


async def _serve(
    spec: SidecarSpec,
    given: SidecarSecrets,
    places: Places,
    events: EventLog,
    listener: socket.socket,
    control: socket.socket,
    link: socket.socket,
) -> int:
    assert spec.gate is not None
    catch_strays(asyncio.get_running_loop(), events)
    async with AsyncExitStack() as stack:
        try:
            server, looker, version = await _start(spec, spec.gate, given, places, events, listener)
            stack.push_async_callback(server.close)
        except (BotBottleError, OSError, ValueError) as error:
            say(control, Refused(str(error) or type(error).__name__))
            return 1
        learning: set[asyncio.Task[None]] = set()

        def learn(more: SidecarSecrets) -> Refused | None:
            if more.tokens:
                return Refused("a gate's keys stay as they are")
            task = asyncio.ensure_future(_learn(said, more, looker))
            learning.add(task)
            task.add_done_callback(learning.discard)
            return None

        said = Control(control, reload=lambda: Refused("a gate has no routes"), learn=learn)
        stack.callback(said.close)
        said.say(Ready(version, ""))
        if await said.over:
            await server.drain()
    link.close()
    return 0


async def _start(
    spec: SidecarSpec,
    gate: GateSpec,
    given: SidecarSecrets,
    places: Places,
    events: EventLog,
    listener: socket.socket,
) -> tuple[GateServer, Looker, str]:
    """What serves, its scanner, git's version. Raises BotBottleError, OSError or ValueError: something is missing."""
    confinement = Confinement(places.work)
    git = await check_git(confinement, places.work)
    if places.incoming.is_symlink() or places.incoming.is_file():
        places.incoming.unlink()
    shutil.rmtree(places.incoming, ignore_errors=True)
    places.incoming.mkdir(mode=0o700)
    upstreams = Upstreams(
        gate.repos,
        {name: Secret(value) for name, value in given.tokens.items()},
        confinement,
        keys=places.keys,
        work=places.work,
        connect_to=connect_map(spec.connect_to),
        extra_ca_pem=spec.extra_ca_pem,
        refuse_ports=frozenset(spec.refuse_ports),
    )
    mirrors = {repo.name: _mirror(repo.name, gate, places, upstreams, events) for repo in gate.repos}
    judge = await starting.judge(
        spec, given, confinement, upstreams, events, told=places.told, run=places.run, work=places.work
    )
    app = SmartHttp(mirrors, confinement, judge, events.note, incoming_dir=places.incoming)
    server = GateServer(app)
    await server.start(listener)
    events.note("git_ready", git=git, repos=sorted(mirrors))
    return server, judge.looker, git


def _mirror(name: str, gate: GateSpec, places: Places, upstreams: Upstreams, events: EventLog) -> Mirror:
    def warn(reason: str) -> None:
        events.note("git_stale", repo=name, reason=reason[:1000])

    repo = next(each for each in gate.repos if each.name == name)
    mirror = Mirror(repo, places.mirrors / f"{name}.git", upstreams, warn=warn)
    mirror.prepare()
    return mirror


async def _learn(said: Control, more: SidecarSecrets, looker: Looker) -> None:
    """Answered when the next push is searched for them."""
    try:
        await looker.learn(more)
    except (BotBottleError, ValueError) as error:
        said.say(Refused(str(error) or type(error).__name__))
    else:
        said.say(TokensTaken())
