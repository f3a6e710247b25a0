"""What all connections of one proxy share: the policy in force, credentials, certificates, bounds, the log.

The policy is one reference that is swapped whole (egress.md §7); a connection reads it anew for each request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from bot_bottle.egress.decide import decide
from bot_bottle.egress.labels import NameBudget
from bot_bottle.egress.match import CompiledPolicy
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Verdict
from bot_bottle.sidecar.proxy.held import Held, Reservation
from bot_bottle.sidecar.proxy.http1 import Framing
from bot_bottle.sidecar.proxy.incoming import Incoming
from bot_bottle.sidecar.proxy.inspection import Inspector
from bot_bottle.sidecar.proxy.limits import DEFAULT_LIMITS, Limits
from bot_bottle.sidecar.proxy.log import EventLog
from bot_bottle.sidecar.proxy.passage import Passage
from bot_bottle.sidecar.proxy.phases import Owner
from bot_bottle.sidecar.proxy.proxyauth import ProxyAuth
from bot_bottle.sidecar.proxy.questions import Questions
from bot_bottle.sidecar.proxy.recording import Recording, Redactor, everything_redacted
from bot_bottle.sidecar.proxy.tls import LeafContexts
from bot_bottle.sidecar.proxy.turns import Turns
from bot_bottle.sidecar.proxy.upstream import Dialer
from bot_bottle.sidecar.proxy.write import Credentials


class Connection(Protocol):
    """What the gateway asks of a client connection."""

    deadline: float

    def on_deadline(self) -> None: ...

    def drain(self) -> None: ...

    def recheck(self) -> None: ...

    def shut(self) -> None: ...


@dataclass
class Gateway:
    """Shared state of the connections of one event loop."""

    policy: CompiledPolicy
    credentials: Credentials
    leaves: LeafContexts
    dialer: Dialer
    log: EventLog
    inspector: Inspector
    incoming: Incoming
    questions: Questions
    turns: Turns = field(default_factory=Turns)
    names: NameBudget = field(default_factory=NameBudget)
    """made up below wildcards; a reload does not renew it"""
    held: Held = field(default_factory=Held)
    redact: Redactor = everything_redacted
    """for what level 2 of the log shows"""
    nonce: str = ""
    proxy_auth: ProxyAuth | None = None
    limits: Limits = DEFAULT_LIMITS
    refuse_ports: frozenset[int] = frozenset()
    cut_off: bool = False
    """nothing goes any more, until the proxy is started again"""
    active: int = 0
    """requests in flight"""
    draining: bool = False
    connections: set[Connection] = field(default_factory=set)
    idle: dict[Connection, None] = field(default_factory=dict)
    """without a request in flight, the one that has waited longest first"""

    def passage(
        self,
        owner: Owner,
        identity: RequestIdentity,
        allow: Allow,
        framing: Framing,
        loop: asyncio.AbstractEventLoop,
    ) -> Passage:
        """The way out of one request."""
        return Passage(
            self.inspector,
            owner,
            identity,
            allow,
            framing,
            incoming=self.incoming,
            decide=self.decide,
            questions=self.questions,
            room=Reservation(self.held, provider=allow.route.provider is not None, loop=loop),
            limits=self.limits,
        )

    def decide(self, identity: RequestIdentity) -> Verdict:
        """By the policy in force."""
        return decide(self.policy, identity, cut_off=self.cut_off)

    def recording(self, identity: RequestIdentity, allow: Allow) -> Recording | None:
        """What level 2 of the log says of an exchange; None at any other level."""
        return Recording(self.log, self.redact, identity, allow) if self.log.level >= 2 else None

    def rest(self, connection: Connection) -> None:
        """*connection* waits for a request from now on; over the bound, the longest waiting one is closed."""
        self.idle.pop(connection, None)
        self.idle[connection] = None
        if len(self.idle) > self.limits.idle_connections:
            oldest = next(iter(self.idle))
            del self.idle[oldest]
            oldest.shut()

    def forget(self, connection: Connection) -> None:
        self.idle.pop(connection, None)
        self.connections.discard(connection)

    def sweep(self, now: float) -> None:
        """Let every connection whose deadline has passed act on it, and the log say what it lacks."""
        self.log.say_left_out()
        for connection in [c for c in self.connections if c.deadline <= now]:
            connection.on_deadline()

    def cut(self) -> None:
        """Let nothing go any more. What is in flight ends in the loop's next turn: one of them asked for it."""
        self.cut_off = True
        asyncio.get_running_loop().call_soon(self._recheck)

    def _recheck(self) -> None:
        for connection in list(self.connections):
            connection.recheck()

    def install(self, policy: CompiledPolicy) -> None:
        """Put *policy* in force and end the flows that it no longer allows, no others."""
        self.policy = policy
        self.log.level = policy.policy.log
        self._recheck()
