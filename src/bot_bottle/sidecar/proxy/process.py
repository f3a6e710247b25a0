"""PROCESS: a sidecar's proxy, already confined. Reads its secrets once, serves until its launcher has gone.

Imported by the parent that forks sidecars: importing makes no event loop, TLS context, thread or secret.
The log is the only file that it writes to, beside its questions (``asking``).
"""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import uvloop

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.dlp.known import Kind
from bot_bottle.egress.config import ConfigError
from bot_bottle.ipc.sidecar import (
    Ready,
    Refused,
    Reloaded,
    SidecarSecrets,
    SidecarSpec,
    TokensTaken,
)
from bot_bottle.sidecar.control import Control, read_secrets, say
from bot_bottle.sidecar.proxy.arming import Extra
from bot_bottle.sidecar.proxy.asking import FileQuestions
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.heap import keep_heap_small
from bot_bottle.sidecar.proxy.inspection import Inspector
from bot_bottle.sidecar.proxy.log import EventLog, catch_strays
from bot_bottle.sidecar.proxy.questions import Questions
from bot_bottle.sidecar.proxy.server import ProxyOptions, ProxyServer, connect_map, nobody

ROUTES_FILE = "routes.yaml"


def run(
    spec: SidecarSpec,
    *,
    listener: socket.socket,
    control: socket.socket,
    link: socket.socket,
    secrets: int,
    log: int,
    egress_dir: Path = Path("/etc/egress"),
    run_dir: Path = Path("/run/bot-bottle"),
) -> int:
    """Serve one bottle; returns the exit status when the control socket has ended or said to drain.

    All descriptors are owned from here on. 1: it could not start; the reason went over *control*.
    """
    try:
        options = _options(spec, secrets, log, egress_dir, run_dir)
    except (BotBottleError, OSError, ValueError, msgspec.MsgspecError) as error:
        say(control, Refused(_reason(error)))
        return 1
    raise_descriptor_limit()
    keep_heap_small()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(options, listener, control, link, egress_dir))


def _options(spec: SidecarSpec, secrets: int, log: int, egress_dir: Path, run_dir: Path) -> ProxyOptions:
    message = read_secrets(secrets)
    text = (egress_dir / ROUTES_FILE).read_text(encoding="utf-8")
    return ProxyOptions(
        policy_text=text,
        authority=CertificateAuthority.create(),
        log_fd=log,
        tokens=_as_tokens(message),
        secrets=[
            Extra(item.name, Secret(item.value), Kind(item.kind), tuple(item.hosts)) for item in message.known
        ],
        questions=_questions(spec, egress_dir, run_dir) if spec.supervise else nobody,
        nonce=spec.nonce,
        connect_to=connect_map(spec.connect_to),
        extra_ca_pem=spec.extra_ca_pem,
        refuse_ports=frozenset(spec.refuse_ports),
    )


def _questions(
    spec: SidecarSpec, egress_dir: Path, run_dir: Path
) -> Callable[[Inspector, EventLog], Questions]:
    def make(inspector: Inspector, log: EventLog) -> Questions:
        return FileQuestions(
            inspector,
            log,
            bottle=spec.bottle,
            launch=spec.launch or spec.nonce,
            run_dir=run_dir,
            egress_dir=egress_dir,
            timeout_s=spec.hold_s,
        )

    return make


def _as_tokens(message: SidecarSecrets) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in message.tokens.items()}


async def _serve(
    options: ProxyOptions,
    listener: socket.socket,
    control: socket.socket,
    link: socket.socket,
    egress_dir: Path,
) -> int:
    try:
        proxy = ProxyServer(options)
        await proxy.start(listener)
    except (BotBottleError, OSError, ValueError) as error:
        say(control, Refused(_reason(error)))
        return 1
    loop = asyncio.get_running_loop()
    catch_strays(loop, proxy.log)
    said = Control(
        control,
        reload=partial(_reload, proxy, egress_dir),
        learn=partial(_take_tokens, proxy),
    )
    loop.add_signal_handler(signal.SIGHUP, _reload, proxy, egress_dir)
    said.say(Ready(proxy.version, options.authority.ca_pem, proxy.warnings))
    try:
        if await said.over:
            await proxy.drain()
    finally:
        said.close()
        await proxy.close()
        link.close()
    return 0


def _take_tokens(proxy: ProxyServer, given: SidecarSecrets) -> TokensTaken | Refused:
    try:
        proxy.replace_tokens(_as_tokens(given))
    except (BotBottleError, OSError, ValueError) as error:
        return Refused(_reason(error))
    return TokensTaken()


def _reload(proxy: ProxyServer, egress_dir: Path) -> Reloaded | Refused:
    try:
        return Reloaded(proxy.reload((egress_dir / ROUTES_FILE).read_text(encoding="utf-8")))
    except (BotBottleError, OSError, ValueError) as error:
        return Refused(_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, ConfigError) and error.path:
        return f"{ROUTES_FILE}: {error}"
    return str(error) or type(error).__name__


def raise_descriptor_limit() -> None:
    """As many descriptors as the hard limit allows: 10,240 idle clients, 512 upstreams and ours."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        pass  # what there is has to do; over it, connections wait to be accepted
