"""One client connection: its bytes, its TLS, its requests one after the other.

=========  =======================================  ===================================================
stage      bytes are                                next
=========  =======================================  ===================================================
HEAD       a request's head                         OPENED after CONNECT; EXCHANGE; DISCARD; LINGER; HEAD
OPENED     the tunnel's first: TLS or HTTP          HEAD, or closed
EXCHANGE   the request's body, then the next head   HEAD, LINGER
           (held until the response has ended)
DISCARD    the rest of a refused request's body     HEAD
LINGER     thrown away                              closed
=========  =======================================  ===================================================

Nothing is decided here: ``egress`` does. Every exception ends in a refusal or a closed connection; nothing
is written upstream by this module.
"""

from __future__ import annotations

import asyncio
import json
from time import monotonic

from bot_bottle.egress.codec import introspection
from bot_bottle.egress.decide import decide, may_connect, on_host, too_many_names
from bot_bottle.egress.request import Tunnel, build_identity, parse_connect
from bot_bottle.egress.verdict import Allow, Deny, Hint
from bot_bottle.sidecar.proxy.conversation import Conversation, Stage
from bot_bottle.sidecar.proxy.exchange import Exchange
from bot_bottle.sidecar.proxy.http1 import (
    NO_BODY,
    Malformed,
    ParsedRequest,
    find_head_end,
    parse_request,
)
from bot_bottle.sidecar.proxy.turns import TURN_S
from bot_bottle.sidecar.proxy.write import tunnel_open

_TLS_HANDSHAKE = 0x16
"""First byte of a ClientHello's record (RFC 8446 section 5.1)."""

_JSON = (("Content-Type", "application/json"),)


class ClientConnection(Conversation):
    """See the module."""

    # -- transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.take_up(transport)
        self._gateway.connections.add(self)
        self._rest()

    def data_received(self, data: bytes) -> None:
        if self._stage >= Stage.LINGER:
            return
        try:
            plain = self.decrypt(data)
            if plain:
                self._buffer = self._buffer + plain if self._buffer else plain
                self.pump()
            if self.tls_ended:
                self.shut()
        except Exception as error:  # deny first: whatever it is, nothing goes out
            self._broken(error)

    def tls_established(self, sni: str | None) -> None:
        assert self._tunnel is not None
        self._tunnel = Tunnel(self._tunnel.host, self._tunnel.port, tls=True, sni=sni)
        self._rest()

    def eof_received(self) -> bool:
        """A plain client that has sent all of its request may say so and read on (``printf | socat``), also
        while its body waits here for the upstream. With TLS, where half a close is not to be told from an
        abort, what is in flight is cancelled."""
        if self.is_secure or self._exchange is None:
            self.shut()
            return False
        self._no_more = True
        return not self._end_if_cut()

    def _end_if_cut(self) -> bool:
        """After the client's end: a request whose body will never be whole is cancelled."""
        exchange = self._exchange
        if exchange is None or exchange.has_whole_request or self._buffer:
            return False
        self.shut()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.let_go()
        self.shut()
        self._gateway.forget(self)

    def pause_writing(self) -> None:
        self.write_paused = True
        if self._exchange is not None:
            self._exchange.client_writable(False)

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._exchange is not None:
            self._exchange.client_writable(True)
        self.pump()

    # -- input

    def pump(self) -> None:
        """Do what can be done with the bytes at hand, for a moment; then read on or pause."""
        if self._pumping or self._put_off:
            return
        self._pumping = True
        until = monotonic() + TURN_S
        try:
            while self._buffer and self._step():
                if monotonic() > until:
                    self._put_off = True
                    self._gateway.turns.later(self._go_on)
                    break
            if self._no_more and self._end_if_cut():
                return
            if self._exchange is not None:
                self._exchange.flush()
        except Exception as error:  # deny first
            self._broken(error)
        finally:
            self._pumping = False
        self.pause_reading(self._put_off or len(self._buffer) >= self._limits.held_bytes)

    def _go_on(self) -> None:
        self._put_off = False
        self._next()

    def _next(self) -> None:
        self.pump()
        if self._no_more and not self._put_off and self._stage is not Stage.EXCHANGE:
            self.shut()

    def _step(self) -> bool:
        """Use up some of the buffer; False when that is not possible now."""
        stage = self._stage
        if stage is Stage.EXCHANGE:
            exchange = self._exchange
            if exchange is None or not exchange.wants_body():
                return False
            data, self._buffer = self._buffer, b""
            rest = exchange.feed(data)
            if self._stage is Stage.EXCHANGE or self._stage is Stage.HEAD:  # HEAD: answered already
                self._buffer = rest
            return True
        if stage is Stage.HEAD:
            return not self.write_paused and self._take_head()
        if stage is Stage.OPENED:
            return self._first_bytes()
        if stage is Stage.DISCARD:
            return self._throw_away()
        self._buffer = b""
        return False

    def _take_head(self) -> bool:
        try:
            ends = find_head_end(self._buffer, self._limits, self._seen)
            if ends is None:
                if not self._seen:
                    self.deadline = self.loop.time() + self._limits.head_s
                self._seen = len(self._buffer)
                return False
            head, self._buffer, self._seen = self._buffer[: ends[0]], self._buffer[ends[1] :], 0
            parsed = parse_request(head, self._limits)
        except Malformed as error:
            self._refuse_unread(Deny(error.status, f"egress: target: {error.what}", Hint.MALFORMED))
            return False
        self._judge(parsed)
        return True

    # -- judging

    def _judge(self, parsed: ParsedRequest) -> None:
        head, gateway = parsed.head, self._gateway
        if self._tunnel is None:
            if gateway.proxy_auth is not None and not gateway.proxy_auth.admits(head):
                self._ask_for_credentials(parsed)
                return
            if head.method == b"CONNECT":
                self._connect(parsed)
                return
        identity = build_identity(head, tunnel=self._tunnel)
        if isinstance(identity, Deny):
            self._refuse_unread(identity, head_only=head.method == b"HEAD")
            return
        verdict = decide(gateway.policy, identity, cut_off=gateway.cut_off)
        if isinstance(verdict, Allow):
            wildcard = verdict.route.host
            if wildcard[0] == "*" and not gateway.names.admits(wildcard, identity.host, self.loop.time()):
                self._refuse(too_many_names(gateway.policy, identity.host), identity, parsed)
                return
            if gateway.active >= self._limits.active_requests:
                full = Deny(503, "egress: target: too many requests in flight", Hint.NONE)
                self._refuse(on_host(gateway.policy, identity.host, full), identity, parsed)
                return
            if verdict.websocket is not None and (
                parsed.framing != NO_BODY or parsed.head.version != b"HTTP/1.1" or identity.expects_continue
            ):
                bad = Deny(403, "egress: target: the handshake of a WebSocket with a body", Hint.MALFORMED)
                self._refuse(on_host(gateway.policy, identity.host, bad), identity, parsed)
                return
            self._last = identity
            self._stage = Stage.EXCHANGE
            gateway.idle.pop(self, None)
            self._exchange = Exchange(gateway, self, parsed, identity, verdict)
            self._exchange.start()
        elif isinstance(verdict, Deny):
            self._refuse(verdict, identity, parsed)
        else:
            body = json.dumps(introspection(gateway.policy.policy)).encode()
            self._answer(200, body, _JSON, parsed)

    def _connect(self, parsed: ParsedRequest) -> None:
        target = parse_connect(parsed.head.target)
        if isinstance(target, Deny):
            self._refuse_unread(target)
            return
        host, port = target
        if parsed.framing != NO_BODY or not _host_agrees(parsed, target):
            what = "a CONNECT with a body" if parsed.framing != NO_BODY else "Host is not the CONNECT target"
            self._refuse_unread(Deny(403, f"egress: target: {what}", Hint.MALFORMED), host=host)
            return
        refusal = may_connect(self._gateway.policy, host, port)
        if refusal is not None:
            self._refuse_unread(refusal, host=host)
            return
        self._tunnel = Tunnel(host, port, tls=False)
        self._stage = Stage.OPENED
        self.send(tunnel_open(self._gateway.nonce))
        self.deadline = self.loop.time() + self._limits.first_bytes_s

    def _first_bytes(self) -> bool:
        """What a tunnel begins with decides what it is (ruling 63)."""
        tunnel = self._tunnel
        assert tunnel is not None
        first = self._buffer[0]
        if first == _TLS_HANDSHAKE:
            self.deadline = self.loop.time() + self._limits.handshake_s
            self._stage = Stage.HEAD
            data, self._buffer = self._buffer, b""
            self._buffer = self.start_tls(self._gateway.leaves.get(tunnel.host), data)
            return True
        if tunnel.may_be_plain and 0x41 <= first <= 0x5A:
            self._stage = Stage.HEAD
            self.deadline = self.loop.time() + self._limits.head_s
            return True
        self._gateway.log.note("egress_not_http", host=tunnel.host, port=tunnel.port)
        self.shut()
        return False


def _host_agrees(parsed: ParsedRequest, target: tuple[str, int]) -> bool:
    """A CONNECT's ``Host`` names its target, with or without the port; old clients send none at all."""
    values = [value for name, value in parsed.head.headers if name.lower() == b"host"]
    if not values:
        return True
    if len(values) != 1:
        return False
    return any(parse_connect(value) == target for value in (values[0], values[0] + b":%d" % target[1]))
