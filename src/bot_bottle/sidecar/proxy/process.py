"""PROCESS: a sidecar's proxy, already confined. Reads its secrets once, serves until its launcher has gone.

Imported by the parent that forks sidecars: importing makes no event loop, TLS context, thread or secret.
The log is the only file that it writes to, beside its questions (``asking``).
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.dlp.known import Kind
from bot_bottle.egress.config import ConfigError
from bot_bottle.ipc import wire
from bot_bottle.ipc.sidecar import (
    MAX_NEW_TOKENS_BYTES,
    Drain,
    NewTokens,
    Ready,
    Refused,
    Reload,
    Reloaded,
    SidecarSecrets,
    SidecarSpec,
    TokensTaken,
    ToSidecar,
)
from bot_bottle.sidecar.proxy.arming import Extra
from bot_bottle.sidecar.proxy.asking import FileQuestions
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.heap import keep_heap_small
from bot_bottle.sidecar.proxy.inspection import Inspector
from bot_bottle.sidecar.proxy.log import EventLog, catch_strays
from bot_bottle.sidecar.proxy.questions import Questions
from bot_bottle.sidecar.proxy.server import ProxyOptions, ProxyServer, connect_map, nobody

ROUTES_FILE = "routes.yaml"

MAX_SECRETS_BYTES = 1024 * 1024
"""The pipe's one message: a thousand routes with a kilobyte of credential each."""


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
        _say(control, Refused(_reason(error)))
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


def read_secrets(fd: int, limit: int = MAX_SECRETS_BYTES) -> SidecarSecrets:
    """Read the pipe to its end, once, and close it. Raises ValueError."""
    with os.fdopen(fd, "rb") as pipe:
        data = pipe.read(limit + 1) or b""
    if len(data) > limit:
        raise ValueError("the secrets are too large")
    try:
        return msgspec.json.decode(data, type=SidecarSecrets)
    except msgspec.MsgspecError:
        raise ValueError("the secrets could not be read") from None  # its message could quote them


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
        _say(control, Refused(_reason(error)))
        return 1
    loop = asyncio.get_running_loop()
    catch_strays(loop, proxy.log)
    over: asyncio.Future[bool] = loop.create_future()
    control.setblocking(False)
    loop.add_reader(control.fileno(), _on_control, control, proxy, egress_dir, over)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, over, True)
    loop.add_signal_handler(signal.SIGHUP, _reload, proxy, egress_dir)
    _say(control, Ready(proxy.version, options.authority.ca_pem, proxy.warnings))
    try:
        if await over:
            await proxy.drain()
    finally:
        loop.remove_reader(control.fileno())
        await proxy.close()
        link.close()
    return 0


def _on_control(
    control: socket.socket, proxy: ProxyServer, egress_dir: Path, over: asyncio.Future[bool]
) -> None:
    try:
        message, fds = wire.receive(control, ToSidecar)
    except (BlockingIOError, TimeoutError):
        return
    except wire.WireError as error:
        if error.closed:
            _end(over, False)
        else:
            _say(control, Refused(str(error)))
        return
    if isinstance(message, NewTokens) and len(fds) == 1:
        _say(control, _take_tokens(proxy, fds[0]))
        return
    wire.close_all(fds)
    if isinstance(message, NewTokens):
        _say(control, Refused("no tokens came with the message"))
    elif isinstance(message, Reload):
        _say(control, _reload(proxy, egress_dir))
    elif isinstance(message, Drain):
        _end(over, True)


def _take_tokens(proxy: ProxyServer, pipe: int) -> TokensTaken | Refused:
    """The pipe was written whole before its message was sent, so that nothing is ever waited for here."""
    try:
        os.set_blocking(pipe, False)
        proxy.replace_tokens(_as_tokens(read_secrets(pipe, MAX_NEW_TOKENS_BYTES)))
    except (BotBottleError, OSError, ValueError) as error:
        return Refused(_reason(error))
    return TokensTaken()


def _reload(proxy: ProxyServer, egress_dir: Path) -> Reloaded | Refused:
    try:
        return Reloaded(proxy.reload((egress_dir / ROUTES_FILE).read_text(encoding="utf-8")))
    except (BotBottleError, OSError, ValueError) as error:
        return Refused(_reason(error))


def _end(over: asyncio.Future[bool], drain: bool) -> None:
    if not over.done():
        over.set_result(drain)


def _say(control: socket.socket, message: msgspec.Struct) -> None:
    try:
        wire.send(control, message)
    except (wire.WireError, BlockingIOError):
        pass  # the launcher has gone; its end of the socket says so too


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
