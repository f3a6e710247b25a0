"""The proxy as a whole: a listening socket, a policy, secrets, an authority; serve, reload, drain, close.

Used by a sidecar (``process``) and alone (``bot-bottle proxy``). A policy is taken only whole: it parses,
compiles, and every slot that it names has a value; otherwise the last good one stays.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bot_bottle.base.errors import BotBottleError
from bot_bottle.base.secret import Secret
from bot_bottle.egress.codec import load_policy, policy_version
from bot_bottle.egress.hosts import BadHost, canonical_host
from bot_bottle.egress.match import CompiledPolicy, compile_policy
from bot_bottle.ipc.sidecar import ConnectTo
from bot_bottle.sidecar.proxy.arming import Armoury, Extra, MakeEngine, make_engine
from bot_bottle.sidecar.proxy.ca import CertificateAuthority
from bot_bottle.sidecar.proxy.connection import ClientConnection
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.heap import Garbage
from bot_bottle.sidecar.proxy.held import Held
from bot_bottle.sidecar.proxy.incoming import Incoming
from bot_bottle.sidecar.proxy.inspection import Inspector
from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS, Limits
from bot_bottle.sidecar.proxy.log import EventLog
from bot_bottle.sidecar.proxy.lookup import Resolver, system_resolver
from bot_bottle.sidecar.proxy.proxyauth import ProxyAuth
from bot_bottle.sidecar.proxy.questions import NobodyToAsk, Questions
from bot_bottle.sidecar.proxy.tls import LeafContexts, upstream_context
from bot_bottle.sidecar.proxy.turns import Turns
from bot_bottle.sidecar.proxy.upstream import Dialer
from bot_bottle.sidecar.proxy.write import Credentials

BACKLOG = 1024
"""Connections that wait to be accepted: a client that opens one a request, 16 at a time, never waits."""


def connect_map(items: Iterable[ConnectTo]) -> dict[tuple[str, int], tuple[str, int]]:
    """``--connect-to`` by canonical host and port. Raises ValueError for a host that is none."""
    found: dict[tuple[str, int], tuple[str, int]] = {}
    for item in items:
        host = f"[{item.host}]" if ":" in item.host and not item.host.startswith("[") else item.host
        try:
            found[canonical_host(host), item.port] = (item.address, item.to_port)
        except BadHost as error:
            raise ValueError(f"--connect-to: {item.host!r} is not a host name ({error})") from error
    return found


def nobody(inspector: Inspector, log: EventLog) -> Questions:  # noqa: ARG001
    """Nobody is asked."""
    return NobodyToAsk()


@dataclass(frozen=True)
class ProxyOptions:
    """What a proxy is started with; nothing of it changes while it runs but the policy."""

    policy_text: str
    authority: CertificateAuthority
    log_fd: int
    tokens: Mapping[str, Secret] = field(default_factory=dict)
    """slot or variable name to value"""
    secrets: Collection[Extra] = ()
    """known secrets that are in no slot"""
    questions: Callable[[Inspector, EventLog], Questions] = nobody
    """made once, in the loop"""
    make_engine: MakeEngine = make_engine
    held: Held = field(default_factory=Held)
    nonce: str = ""
    connect_to: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    """(canonical host, port) to (address, port)"""
    extra_ca_pem: str = ""
    refuse_ports: Collection[int] = ()
    proxy_auth: Secret | None = None
    """``user:password``"""
    limits: Limits = DEFAULT_LIMITS
    resolver: Resolver = system_resolver


class ProxyServer:
    """One proxy in the running event loop."""

    def __init__(self, options: ProxyOptions) -> None:
        """Raises :class:`ConfigError`, :class:`YamlError` or :class:`CredentialError` for the policy,
        ValueError for the extra CA."""
        self._credentials = Credentials(options.tokens)
        self._contexts: list[ssl.SSLContext] = []
        self._extra_ca_pem = options.extra_ca_pem
        if options.extra_ca_pem:
            self._upstream_context()
        log = EventLog(options.log_fd, options.limits)
        policy = self._checked(options.policy_text)
        log.level = policy.policy.log
        self.version = policy_version(options.policy_text)
        """SHA-256 hex of the policy in force"""
        turns = Turns()
        self._armoury = Armoury(options.secrets, options.make_engine)
        armed = self._armoury.arm(self._credentials.values, policy.policy)
        assert armed is not None  # the first time it is
        inspector = Inspector(armed, policy=lambda: self._gateway.policy, log=log, cut_off=self._cut_off)
        self._gateway = Gateway(
            policy=policy,
            inspector=inspector,
            redact=inspector.plain,
            incoming=Incoming(lambda: self._gateway.policy, log),
            questions=options.questions(inspector, log),
            held=options.held,
            credentials=self._credentials,
            leaves=LeafContexts(options.authority),
            dialer=Dialer(
                limits=options.limits,
                turns=turns,
                context=self._upstream_context,
                resolver=options.resolver,
                connect_to=options.connect_to,
                refuse_ports=options.refuse_ports,
            ),
            log=log,
            turns=turns,
            nonce=options.nonce,
            proxy_auth=None if options.proxy_auth is None else ProxyAuth(options.proxy_auth),
            limits=options.limits,
            refuse_ports=frozenset(options.refuse_ports),
        )
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def log(self) -> EventLog:
        return self._gateway.log

    @property
    def warnings(self) -> tuple[str, ...]:
        """Secrets that can't be looked for, by name."""
        return self._armoury.warnings

    @property
    def active(self) -> int:
        """Requests in flight."""
        return self._gateway.active

    @property
    def connections(self) -> int:
        """Open client connections."""
        return len(self._gateway.connections)

    async def start(self, listener: socket.socket) -> None:
        """Serve on *listener* (bound, Unix or TCP) from now on; it is closed by :meth:`close`."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)

        def connection() -> ClientConnection:
            return ClientConnection(self._gateway)

        if listener.family == socket.AF_UNIX:
            self._server = await loop.create_unix_server(connection, sock=listener, backlog=BACKLOG)
        else:
            self._server = await loop.create_server(connection, sock=listener, backlog=BACKLOG)
        self._sweeper = loop.create_task(self._sweep())
        loop.call_soon(self._upstream_context)

    def reload(self, policy_text: str, *, extra_ca_pem: str | None = None) -> str:
        """Put another policy in force at once and return its version; flows that it no longer allows end.

        *extra_ca_pem*: further roots from now on; None: those that there are. Raises as the constructor
        does; then the last good policy stays, and the log says why.
        """
        try:
            policy = self._checked(policy_text)
            if extra_ca_pem is not None and extra_ca_pem != self._extra_ca_pem:
                self._contexts[:] = [upstream_context(extra_ca_pem)]
                self._extra_ca_pem = extra_ca_pem
        except Exception as error:
            self.log.incident("egress_reload_failed", reason=str(error), version=self.version)
            raise
        self.version = policy_version(policy_text)
        self._rearm(policy)
        self._gateway.install(policy)
        self.log.note("egress_reloaded", version=self.version)
        return self.version

    def replace_tokens(self, tokens: Mapping[str, Secret]) -> None:
        """Other values for slots that there are, from the next request's head on.

        Raises :class:`CredentialError`; then none of them counts. The log names slots, never values.
        """
        try:
            self._credentials.replace(tokens, self._gateway.policy.policy)
        except BotBottleError as error:
            self.log.incident("egress_tokens_refused", reason=str(error))
            raise
        self._rearm(self._gateway.policy)
        self.log.note("egress_tokens_replaced", slots=sorted(tokens))

    async def drain(self) -> None:
        """Take no more connections or requests; return when none is in flight, after ``drain_s`` at most."""
        gateway = self._gateway
        gateway.draining = True
        if self._server is not None:
            self._server.close()
        for connection in list(gateway.idle):
            connection.shut()
        for connection in list(gateway.connections):
            connection.drain()
        loop = asyncio.get_running_loop()
        until = loop.time() + gateway.limits.drain_s
        while gateway.active and loop.time() < until:
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """End everything at once."""
        gateway = self._gateway
        gateway.draining = True
        if self._server is not None:
            self._server.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(gateway.connections):
            connection.shut()
        loop = asyncio.get_running_loop()
        until = loop.time() + gateway.limits.linger_s
        while gateway.connections and loop.time() < until:
            await asyncio.sleep(0)

    def _cut_off(self) -> None:
        self._gateway.cut()

    def _rearm(self, policy: CompiledPolicy) -> None:
        """Look for the values that are used from now on, too."""
        armed = self._armoury.arm(self._credentials.values, policy.policy)
        if armed is not None:
            self._gateway.inspector.rearm(armed)

    def _checked(self, text: str) -> CompiledPolicy:
        policy = load_policy(text)
        self._credentials.check(policy)
        return compile_policy(policy)

    def _upstream_context(self) -> ssl.SSLContext:
        """Made once, when first needed: reading the system's store takes some 20 ms."""
        if not self._contexts:
            self._contexts.append(upstream_context(self._extra_ca_pem))
        return self._contexts[0]

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        garbage = Garbage()
        while True:
            await asyncio.sleep(self._gateway.limits.sweep_s)
            self._gateway.sweep(loop.time())
            garbage.sweep(loop.time())
