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
import ssl
from enum import IntEnum
from time import monotonic

from bot_bottle.egress.codec import introspection
from bot_bottle.egress.decide import decide, may_connect, on_host
from bot_bottle.egress.refusal import refusal_body, refusal_headers
from bot_bottle.egress.request import RequestIdentity, Tunnel, build_identity, parse_connect
from bot_bottle.egress.verdict import Allow, Deny, Hint
from bot_bottle.sidecar.proxy.body import BodyReader, body_reader
from bot_bottle.sidecar.proxy.exchange import Exchange, allowed_now
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.http1 import (
    NO_BODY,
    Malformed,
    ParsedRequest,
    find_head_end,
    parse_request,
)
from bot_bottle.sidecar.proxy.stream import ClientStream
from bot_bottle.sidecar.proxy.turns import TURN_S
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.sidecar.proxy.write import own_answer, tunnel_open

_TLS_HANDSHAKE = 0x16
"""First byte of a ClientHello's record (RFC 8446 section 5.1)."""

_UNCERTAIN = frozenset({b"expect", b"upgrade"})
"""After a refusal of a request with one of these fields nobody knows what the client sends next."""

_JSON = (("Content-Type", "application/json"),)


class Stage(IntEnum):
    HEAD = 0
    OPENED = 1
    EXCHANGE = 2
    DISCARD = 3
    LINGER = 4
    CLOSED = 5


class ClientConnection(ClientStream):
    """See the module."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self.deadline = float("inf")
        self.upstream: Upstream | None = None
        """finished its last request, may take the next"""
        self._gateway = gateway
        self._limits = gateway.limits
        self._stage = Stage.HEAD
        self._buffer = b""
        self._seen = 0
        """how much of the buffer has been searched for the end of a head"""
        self._tunnel: Tunnel | None = None
        self._exchange: Exchange | None = None
        self._last: RequestIdentity | None = None
        """the last request that was allowed"""
        self._discard: BodyReader | None = None
        self._discarded = 0
        self._pumping = False
        self._put_off = False
        """more is done in a later turn of the loop; until then nothing is read"""
        self._no_more = False
        """the client sends nothing more; it is closed when all that it asked has been answered"""

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
        """A plain client that has sent all of its request may say so and read on (``printf | socat``). With
        TLS, where half a close is not to be told from an abort, what is in flight is cancelled."""
        if not self.is_secure and self._exchange is not None and self._exchange.has_whole_request:
            self._no_more = True
            return True
        self.shut()
        return False

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
            if self._stage is Stage.EXCHANGE:
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
        verdict = decide(gateway.policy, identity)
        if isinstance(verdict, Allow):
            if gateway.active >= self._limits.active_requests:
                full = Deny(503, "egress: target: too many requests in flight", Hint.NONE)
                self._refuse(on_host(gateway.policy, identity.host, full), identity, parsed)
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
        if tunnel.port == 80 and 0x41 <= first <= 0x5A:
            self._stage = Stage.HEAD
            self.deadline = self.loop.time() + self._limits.head_s
            return True
        self._gateway.log.note("egress_not_http", host=tunnel.host, port=tunnel.port)
        self.shut()
        return False

    # -- answers of ours

    def _refuse(self, deny: Deny, identity: RequestIdentity, parsed: ParsedRequest) -> None:
        self._gateway.log.block(deny, identity)
        self._answer(deny.status, refusal_body(deny, identity), refusal_headers(deny), parsed)

    def _refuse_unread(self, deny: Deny, *, head_only: bool = False, host: str | None = None) -> None:
        """Refuse a request that has no identity; where its end is, nobody knows: the connection ends too."""
        if host is None and self._tunnel is not None:
            host = self._tunnel.host
        if host is not None:
            deny = on_host(self._gateway.policy, host, deny)
        self._gateway.log.block(deny, None, host)
        self._last_answer(deny, None, head_only=head_only)

    def _last_answer(self, deny: Deny, identity: RequestIdentity | None, *, head_only: bool = False) -> None:
        self._say_no(deny, identity, keep_alive=False, head_only=head_only)
        self._linger()

    def _say_no(
        self, deny: Deny, identity: RequestIdentity | None, *, keep_alive: bool, head_only: bool
    ) -> None:
        nonce = self._gateway.nonce
        body, headers = refusal_body(deny, identity), refusal_headers(deny)
        self.send(
            own_answer(deny.status, body, headers, nonce=nonce, keep_alive=keep_alive, head_only=head_only)
        )

    def _ask_for_credentials(self, parsed: ParsedRequest) -> None:
        deny = Deny(407, "egress: target: the proxy's own credential is missing or wrong", Hint.NONE)
        self._gateway.log.block(deny, None)
        headers = (*refusal_headers(deny), ("Proxy-Authenticate", 'Basic realm="bot-bottle"'))
        self._answer(407, refusal_body(deny), headers, parsed)

    def _answer(
        self, status: int, body: bytes, headers: tuple[tuple[str, str], ...], parsed: ParsedRequest
    ) -> None:
        """Answer a request whose framing is known; its body, if it has one, is read and thrown away."""
        framing, limits = parsed.framing, self._limits
        keep = parsed.keep_alive and not self._gateway.draining
        if any(name.lower() in _UNCERTAIN for name, _ in parsed.head.headers):
            keep = False
        keep = keep and framing.length <= limits.discarded_body_bytes
        head_only = parsed.head.method == b"HEAD"
        self.send(
            own_answer(status, body, headers, nonce=self._gateway.nonce, keep_alive=keep, head_only=head_only)
        )
        if not keep:
            self._linger()
            return
        reader = body_reader(framing, strict=True)
        if reader.done:
            self._rest()
            return
        self._discard, self._discarded = reader, 0
        self._stage = Stage.DISCARD
        self.deadline = self.loop.time() + limits.body_stall_s

    def _throw_away(self) -> bool:
        reader = self._discard
        assert reader is not None
        fed = len(self._buffer)
        try:
            reader.feed(self._buffer)
        except Malformed:
            self._linger()
            return False
        self._buffer = reader.rest
        self._discarded += fed - len(reader.rest)
        if reader.done:
            self._discard = None
            self._rest()
        elif self._discarded > 2 * self._limits.discarded_body_bytes:
            self._linger()
        return True

    # -- for the exchange

    def exchange_over(self, *, keep_alive: bool, body_left: bool) -> None:
        """The response has gone out whole."""
        self._exchange = None
        if not keep_alive or body_left:
            self._linger()
            return
        self._rest()
        self._next()

    def exchange_refused(self, deny: Deny, identity: RequestIdentity, *, body_left: bool) -> None:
        """The exchange came to nothing before its response began."""
        self._exchange = None
        self._gateway.log.block(deny, identity)
        head_only = identity.method == "HEAD"
        if body_left or self._gateway.draining:
            self._last_answer(deny, identity, head_only=head_only)
            return
        self._say_no(deny, identity, keep_alive=True, head_only=head_only)
        self._rest()
        self._next()

    def cut(self, *, flush: bool = False) -> None:
        """End so that what was sent so far does not look whole. *flush*: it does not, even if it is all
        delivered (the body's own framing shows that it was cut)."""
        self._exchange = None
        self._stage = Stage.CLOSED
        self._buffer = b""
        self._drop_upstream()
        if flush:
            self.deadline = self.loop.time() + self._limits.linger_s
            self.close(goodbye=False)
        else:
            self.abort()

    # -- ends

    def on_deadline(self) -> None:
        """Called by the gateway's sweep."""
        self.deadline = float("inf")
        if self._stage is Stage.EXCHANGE and self._exchange is not None:
            self._exchange.on_deadline()
        elif self._stage is Stage.HEAD and self._buffer:
            self._refuse_unread(Deny(408, "egress: target: the header section took too long", Hint.NONE))
        elif self._stage is Stage.CLOSED:
            self.cut()
        elif self._stage is Stage.HEAD and self.upstream is not None:
            self._drop_upstream()
            self.deadline = self.loop.time() + self._limits.idle_s
        else:
            self.shut()

    def recheck(self) -> None:
        """A new policy is in force: end if what goes on here is no longer allowed."""
        if self._exchange is not None:
            self._exchange.recheck()
        elif self._last is not None and not allowed_now(self._gateway, self._last, self.upstream):
            self.shut()

    def _rest(self) -> None:
        """Wait for the next request."""
        self._exchange = None
        self._stage = Stage.HEAD
        self._seen = 0
        self.deadline = self.loop.time() + self._limits.idle_s
        self._gateway.rest(self)
        if self.upstream is not None:  # dropped when it is too old to be used again
            self.deadline = self.loop.time() + self._limits.upstream_idle_s
        if self._gateway.draining and not self._buffer:
            self.shut()

    def _linger(self) -> None:
        """Nothing more is said; read on for a moment, so that the last answer is not lost to a reset."""
        self._stage = Stage.LINGER
        self._buffer = b""
        self._drop_upstream()
        self._gateway.rest(self)
        self.deadline = self.loop.time() + self._limits.linger_s
        self.finish_sending()

    def shut(self) -> None:
        """Close in good order; what is in flight is cancelled."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()
        goodbye = self._stage < Stage.LINGER
        self._stage = Stage.CLOSED
        self._buffer = b""
        self._drop_upstream()
        self.deadline = self.loop.time() + self._limits.linger_s
        self.close(goodbye=goodbye)

    def _broken(self, error: Exception) -> None:
        """TLS that failed, or an error of ours: refuse if that can still be said, and close."""
        if isinstance(error, ssl.SSLError):
            self._gateway.log.note("egress_tls_failed", host=self._tunnel.host if self._tunnel else "")
            self.shut()
            return
        self._gateway.log.incident("proxy_error", error=type(error).__name__)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()
            self.cut()
            return
        try:
            self._last_answer(Deny(403, "egress: target: internal error of the proxy", Hint.NONE), None)
        except Exception:  # it could not be said
            self.cut()

    def _drop_upstream(self) -> None:
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.close()


def _host_agrees(parsed: ParsedRequest, target: tuple[str, int]) -> bool:
    """A CONNECT's ``Host`` names its target, with or without the port; old clients send none at all."""
    values = [value for name, value in parsed.head.headers if name.lower() == b"host"]
    if not values:
        return True
    if len(values) != 1:
        return False
    return any(parse_connect(value) == target for value in (values[0], values[0] + b":%d" % target[1]))
