"""What the proxy itself says on a client connection, and how a request and the connection end.

The stages are those of ``connection``, which reads and judges. Nothing is decided here, nothing is written
upstream by this module.
"""

from __future__ import annotations

import ssl
from enum import IntEnum

from bot_bottle.egress.decide import on_host
from bot_bottle.egress.refusal import refusal_body, refusal_headers
from bot_bottle.egress.request import RequestIdentity, Tunnel
from bot_bottle.egress.verdict import Deny, Hint
from bot_bottle.sidecar.proxy.body import BodyReader, body_reader
from bot_bottle.sidecar.proxy.client import allowed_now
from bot_bottle.sidecar.proxy.exchange import Exchange
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.http1 import Malformed, ParsedRequest
from bot_bottle.sidecar.proxy.stream import ClientStream
from bot_bottle.sidecar.proxy.upstream import Upstream
from bot_bottle.sidecar.proxy.websocket import WebSocket
from bot_bottle.sidecar.proxy.write import own_answer

_UNCERTAIN = frozenset({b"expect", b"upgrade"})
"""After a refusal of a request with one of these fields nobody knows what the client sends next."""


class Stage(IntEnum):
    HEAD = 0
    OPENED = 1
    EXCHANGE = 2
    DISCARD = 3
    LINGER = 4
    CLOSED = 5


class Conversation(ClientStream):
    """Base of a client connection: its state, the proxy's own answers, its ends."""

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
        self._exchange: Exchange | WebSocket | None = None
        self._last: RequestIdentity | None = None
        """the last request that was allowed"""
        self._discard: BodyReader | None = None
        self._discarded = 0
        self._pumping = False
        self._put_off = False
        """more is done in a later turn of the loop; until then nothing is read"""
        self._no_more = False
        """the client sends nothing more; it is closed when all that it asked has been answered"""

    def _next(self) -> None:
        """Go on with what the client has sent already."""
        raise NotImplementedError

    # -- answers of ours

    def _refuse(self, deny: Deny, identity: RequestIdentity, parsed: ParsedRequest) -> None:
        identity = self._gateway.inspector.shown(identity)
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

    def becomes_websocket(self, websocket: WebSocket) -> None:
        """The upgrade that the exchange was for has been answered; from now on *websocket* is fed."""
        self._exchange = websocket

    def exchange_over(self, *, keep_alive: bool, body_left: bool) -> None:
        """The response has gone out whole."""
        self._exchange = None
        if not keep_alive or body_left:
            self._linger()
            return
        self._rest()
        self._next()

    def exchange_refused(
        self, deny: Deny, identity: RequestIdentity, *, keep_alive: bool, body_left: bool
    ) -> None:
        """The exchange came to nothing before its response began."""
        self._exchange = None
        identity = self._gateway.inspector.shown(identity)
        self._gateway.log.block(deny, identity)
        head_only = identity.method == "HEAD"
        if body_left or not keep_alive or self._gateway.draining:
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

    def drain(self) -> None:
        """The proxy is about to end: what has no end of its own ends now."""
        if isinstance(self._exchange, WebSocket):
            self._exchange.drain()

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
