"""A WebSocket between a client and an upstream, once both handshakes are done: two legs, a relay each way.

=========  =============================================  ==================================
state      what happens                                   ends by
=========  =============================================  ==================================
open       messages are relayed both ways                 a close frame; a refusal; a loss
closing    one side has said its close frame; what the    the other's close frame, or
           other still says is relayed                    ``websocket_close_s``
over       (nothing)
=========  =============================================  ==================================

Takes the place of the exchange that opened it: the connection feeds it, the upstream calls it. A side that is lost
without a close frame is no more than that to the other: its connection ends without one, too. What is refused or
breaks the protocol is told to its sender by a close frame; the other side is told 1001.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.websocket import Deflate
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.recording import Recording
from bot_bottle.sidecar.proxy.response import END, Event
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.sidecar.proxy.websocket_frames import (
    GOING_AWAY,
    POLICY,
    BadFrames,
    Close,
    Frames,
)
from bot_bottle.sidecar.proxy.websocket_relay import Inspector, Peer, Relay, Stop

REVOKED = "egress: route: no longer allowed"
UNREDACTABLE = "egress DLP: could not be redacted"


class WebSocketClient(Protocol):
    """What it asks of the client's connection."""

    deadline: float
    write_paused: bool
    loop: asyncio.AbstractEventLoop

    def send(self, data: bytes) -> None: ...

    def pump(self) -> None: ...

    def exchange_over(self, *, keep_alive: bool, body_left: bool) -> None: ...

    def cut(self, *, flush: bool = False) -> None: ...


class WebSocket:
    """See the module."""

    has_whole_request = False
    """a client that ends its side has gone"""

    def __init__(
        self,
        gateway: Gateway,
        client: WebSocketClient,
        identity: RequestIdentity,
        upstream: Upstream,
        *,
        inside: Deflate | None,
        outside: Deflate | None,
        is_allowed: Callable[[], bool],
        recording: Recording | None,
        outbound: Inspector,
        inbound: Inspector,
    ) -> None:
        """*is_allowed*: whether the policy in force still opens this."""
        self.identity = identity
        self._gateway = gateway
        self._client = client
        self._upstream = upstream
        self._is_allowed = is_allowed
        self._inspectors = (outbound, inbound)
        self._is_over = False
        limits = gateway.limits
        self._inside = Peer(
            Frames(limits, client=False, deflate=inside, compresses=False),
            client.send,
            lambda: client.write_paused,
        )
        self._outside = Peer(
            Frames(limits, client=True, deflate=outside, compresses=True),
            upstream.write,
            lambda: upstream.paused,
        )
        tap_up = None if recording is None else recording.messages("bottle")
        tap_down = None if recording is None else recording.messages("upstream")
        turns = gateway.turns
        self._up = Relay(self._inside, self._outside, outbound, turns, self._on_turn_up, tap_up)
        self._down = Relay(self._outside, self._inside, inbound, turns, self._on_turn_down, tap_down)
        self._touch()

    def _touch(self) -> None:
        """Somebody is there. Not once a side has said its close frame: then the other has so long and no longer."""
        if self._up.ended is None and self._down.ended is None:
            self._client.deadline = self._client.loop.time() + self._gateway.limits.websocket_idle_s

    # -- the client's side

    def wants_body(self) -> bool:
        """More of what the client sends can be taken now."""
        up = self._up
        return not self._is_over and not up.is_waiting and up.ended is None and not self._upstream.paused

    def feed(self, data: bytes) -> bytes:
        """What the client has sent."""
        self._touch()
        self._run(self._up, data)
        return b""

    def flush(self) -> None:
        """Nothing is ever held for it."""

    def client_writable(self, writable: bool) -> None:
        """Back-pressure: the client reads slower than the upstream sends."""
        if writable:
            self._inside.settle()
            if self._down.is_waiting:
                self._run(self._down)
        self._read_or_not()

    def on_deadline(self) -> None:
        """Nobody has said anything for long, or nothing to a close frame."""
        self._tell_both(GOING_AWAY, "idle")

    def recheck(self) -> None:
        """A new policy is in force: end, if it no longer allows this."""
        if not self._is_allowed():
            self._tell_both(POLICY, REVOKED)

    def drain(self) -> None:
        """The proxy is about to end."""
        self._tell_both(GOING_AWAY, "")

    def cancel(self) -> None:
        """The client has gone, or is about to be closed."""
        if not self._is_over:
            self._inside.close(GOING_AWAY)
            self._outside.close(GOING_AWAY)
            self._end()

    # -- the upstream's side

    def upstream_events(self, events: Iterable[Event]) -> None:
        for event in events:
            if self._is_over:
                return
            if isinstance(event, bytes):
                self._touch()
                self._run(self._down, event)
            elif event is END:
                self.upstream_lost("the connection was closed")
        self._read_or_not()

    def upstream_lost(self, why: str) -> None:  # noqa: ARG002 - as every flow is told
        if self._is_over:
            return
        said_so = self._down.ended is not None
        self._end()
        if said_so:
            self._client.exchange_over(keep_alive=False, body_left=False)
        else:
            self._client.cut(flush=True)

    def upstream_writable(self, writable: bool) -> None:
        if writable:
            self._outside.settle()
            if self._up.is_waiting:
                self._run(self._up)
            self._client.pump()

    # -- both

    def _on_turn_up(self) -> None:
        self._in_turn(self._up)
        self._client.pump()

    def _on_turn_down(self) -> None:
        self._in_turn(self._down)
        self._read_or_not()

    def _in_turn(self, relay: Relay) -> None:
        try:
            self._run(relay)
        except Exception as error:  # whatever it is, this connection ends and no other
            self._gateway.log.incident("proxy_error", error=type(error).__name__, host=self.identity.host)
            self._end()
            self._client.cut()

    def _read_or_not(self) -> None:
        if not self._is_over:
            self._upstream.pause_reading(self._down.is_waiting or self._client.write_paused)

    def _run(self, relay: Relay, data: bytes | None = None) -> None:
        """Let *relay* go on, with *data* if there is more of it."""
        if self._is_over:
            return
        try:
            if data is None:
                relay.go_on()
            else:
                relay.take(data)
        except BadFrames as error:
            self._refuse(relay, error.code, error.what)
        except UnicodeDecodeError:  # redaction has cut a character in two
            self._refuse(relay, POLICY, UNREDACTABLE)
        except Stop as stop:
            self._refuse(relay, stop.code, stop.reason)
        else:
            if relay.ended is not None:
                self._pass_on(relay, relay.ended)

    def _pass_on(self, relay: Relay, said: Close) -> None:
        """*relay*'s source has said its close frame."""
        sink = self._outside if relay is self._up else self._inside
        if sink.is_told:
            return
        sink.close(said.code, said.reason)
        if self._up.ended is not None and self._down.ended is not None:
            self._finish()
        else:
            limits = self._gateway.limits
            self._client.deadline = self._client.loop.time() + limits.websocket_close_s

    def _refuse(self, relay: Relay, code: int, reason: str) -> None:
        """What *relay*'s source sends ends the connection."""
        by = "bottle" if relay is self._up else "upstream"
        self._gateway.log.note(
            "egress_websocket_closed", host=self.identity.host, path=self.identity.path, code=code,
            reason=reason, by=by,
        )  # fmt: skip
        source, sink = (self._inside, self._outside) if relay is self._up else (self._outside, self._inside)
        source.close(code, reason)
        sink.close(GOING_AWAY)
        self._finish(lingers=relay is self._down)

    def _tell_both(self, code: int, reason: str) -> None:
        if self._is_over:
            return
        self._inside.close(code, reason)
        self._outside.close(GOING_AWAY)
        self._finish()

    def _finish(self, *, lingers: bool = False) -> None:
        """All has been said: both connections end in good order. *lingers*: the upstream may still be sending."""
        self._end(lingers=lingers)
        self._client.exchange_over(keep_alive=False, body_left=False)

    def _end(self, *, lingers: bool = False) -> None:
        self._is_over = True
        self._gateway.active -= 1
        for inspector in self._inspectors:
            inspector.close()
        for relay in (self._up, self._down):
            relay.let_go()
        if lingers:
            self._upstream.linger(self._gateway.limits.linger_s)
        else:
            self._upstream.close()
