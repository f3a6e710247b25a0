"""One allowed request and its response: opens the upstream, writes the new request, streams both bodies.

=========  ==========================================  ==================================
phase      the client's body                           ends by
=========  ==========================================  ==================================
judging    is read and held as ``passage`` says        let go, or refusal
opening    waits (reading pauses at ``held_bytes``)    connection made, or refusal
sending    forwarded as it comes, re-framed            body's end, or an early response
answering  (over)                                      response's end
=========  ==========================================  ==================================

Made only with an ``Allow`` in hand. Whatever goes wrong before the response's head has gone out is answered
with a refusal; after it, the client's connection is cut so that no half response looks whole.
"""

from __future__ import annotations

import asyncio

from bot_bottle.egress.decide import decide, on_host
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Deny, Hint
from bot_bottle.sidecar.proxy.answer import Answer
from bot_bottle.sidecar.proxy.body import BodyReader, body_reader
from bot_bottle.sidecar.proxy.client import Client, allowed_now
from bot_bottle.sidecar.proxy.gateway import Gateway
from bot_bottle.sidecar.proxy.http1 import Body, Malformed, ParsedRequest, ParsedResponse
from bot_bottle.sidecar.proxy.response import Event
from bot_bottle.sidecar.proxy.upstream import DialError, Key, Upstream, upstream_deny
from bot_bottle.sidecar.proxy.websocket import WebSocket
from bot_bottle.sidecar.proxy.websocket_handshake import Opening
from bot_bottle.sidecar.proxy.websocket_rules import client_messages, server_messages
from bot_bottle.sidecar.proxy.write import CONTINUE, LAST_CHUNK, chunk, request_head

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Sent again when a reused connection turns out to be closed (RFC 9110 section 9.2.2)."""


class Exchange:
    """See the module. ``start`` once; then the connection feeds it, the upstream calls it."""

    def __init__(
        self, gateway: Gateway, client: Client, parsed: ParsedRequest, identity: RequestIdentity, allow: Allow
    ) -> None:
        self.identity = identity
        self._key: Key = (identity.scheme, identity.host, identity.port)
        self._gateway = gateway
        self._client = client
        self._now = client.loop.time
        self._parsed = parsed
        self._allow = allow
        self._body: BodyReader = body_reader(parsed.framing, strict=True)
        self._recording = gateway.recording(identity, allow)
        if self._recording is not None:
            self._body = self._recording.tee(self._body)
        self._passage = gateway.passage(self, identity, allow, parsed.framing, client.loop)
        self._awaits_continue = identity.expects_continue and not self._body.done
        self._is_last_chunk_due = False
        self._upstream: Upstream | None = None
        self._opening: asyncio.Task[None] | None = None
        self._queue: list[bytes] = []
        """for the upstream, not yet written"""
        self._answer = Answer(parsed, gateway.incoming, gateway.inspector.known)
        self._over = False
        self._websocket: Opening | None = None
        """of a request that opens one, once it goes upstream"""

    def start(self) -> None:
        """Take over the connection's upstream if it fits, or open one. Raises nothing."""
        self._gateway.active += 1
        try:
            self._start()
        except Exception as error:  # any exception is a refusal
            self._internal(error)

    def _start(self) -> None:
        self._passage.start()
        if not self._over:
            self._wait_for_more()

    # -- for the passage

    def passage_moves(self) -> None:
        """The body is wanted, or wanted again."""
        if self._awaits_continue:
            self._awaits_continue = False
            if self._parsed.head.version == b"HTTP/1.1":  # RFC 9110 section 10.1.1: an older one can't know
                self._client.send(CONTINUE)
        self._wait_for_more()
        self._client.pump()

    def passage_opens(self) -> None:
        """Take over the connection's upstream if it fits, or open one."""
        passage = self._passage
        self.identity, self._allow = passage.identity, passage.allow
        self._is_last_chunk_due = passage.framing.body is Body.CHUNKED
        upstream, self._client.upstream = self._client.upstream, None
        if upstream is not None:
            fresh = self._now() - upstream.idle_since < self._gateway.limits.upstream_idle_s
            if upstream.open and fresh and upstream.key == self._key:
                self._attach(upstream)
                return
            upstream.close()
        self._open()

    def passage_refused(self, deny: Deny) -> None:
        """Nothing goes, or nothing more: what has gone is no whole request."""
        self._refuse(deny)

    def passage_failed(self, error: Exception) -> None:
        """Whatever could not be judged does not go."""
        self._gateway.log.incident("proxy_error", error=type(error).__name__, host=self.identity.host)
        deny = Deny(403, "egress DLP: internal error of the scanner", Hint.NONE)
        self._refuse(on_host(self._gateway.policy, self.identity.host, deny))

    # -- the upstream is opened

    def _open(self) -> None:
        self._client.deadline = float("inf")  # the dialer has its own
        self._opening = self._client.loop.create_task(self._dial())

    async def _dial(self) -> None:
        try:
            upstream = await self._gateway.dialer.open(self._key, self._allow.route)
        except DialError as error:
            self._refuse(error.deny)
        except Exception as error:  # any exception is a refusal
            self._internal(error)
        else:
            self._opening = None
            if self._over:
                upstream.close()
                return
            try:
                self._attach(upstream)
                if not upstream.open:
                    self.upstream_lost("the connection was closed")
                self._client.pump()
            except Exception as error:  # any exception is a refusal
                self._internal(error)

    def _internal(self, error: Exception) -> None:
        self._gateway.log.incident("proxy_error", error=type(error).__name__, host=self.identity.host)
        self._refuse(Deny(502, "egress: upstream: internal error of the proxy", Hint.UPSTREAM))

    def _attach(self, upstream: Upstream) -> None:
        asked = self._allow.websocket
        websocket = self._websocket = None if asked is None else Opening(asked)
        head = request_head(
            self.identity,
            self._allow,
            self._passage.framing,
            self._gateway.credentials,
            () if websocket is None else websocket.fields(),
        )
        self._upstream = upstream
        upstream.flow = self
        upstream.reader.expect(self.identity.method, upgrade=websocket is not None)
        self._queue.append(head)
        self._forward()
        self._wait_for_more()
        if self._body.done:
            self.flush()

    def _wait_for_more(self) -> None:
        limits = self._gateway.limits
        wait = limits.response_head_s if self._body.done else limits.body_stall_s
        if self._passage.asking or self._opening is not None:  # they have their own
            wait = float("inf")
        self._client.deadline = self._now() + wait

    # -- the client's side

    @property
    def has_whole_request(self) -> bool:
        """Nothing more of the request is to come."""
        return self._body.done

    def wants_body(self) -> bool:
        """More of the request's body can be judged or forwarded now."""
        if self._body.done or not self._passage.wants_body:
            return False
        upstream = self._upstream
        return (upstream is not None and not upstream.paused) if self._passage.is_open else True

    def feed(self, data: bytes) -> bytes:
        """The next bytes of the request's body; what follows its end is returned, or what was too much work
        for once. See :meth:`flush`."""
        try:
            pieces = self._body.feed(data)
        except Malformed as error:
            deny = Deny(403, f"egress: target: {error.what}", Hint.MALFORMED)
            self._refuse(on_host(self._gateway.policy, self.identity.host, deny))
            return b""
        try:
            for piece in pieces:
                self._passage.feed(piece)
            if self._body.done:
                self._passage.end()
        except Exception as error:
            self.passage_failed(error)
        if not self._over:
            self._forward()
            self._wait_for_more()
        return self._body.rest if self._body.done or not self._over else b""

    def _forward(self) -> None:
        """Queue what of the body may go."""
        if self._upstream is None:
            return
        passage = self._passage
        pieces = passage.take()
        if passage.framing.body is Body.CHUNKED:
            self._queue += [chunk(piece) for piece in pieces]
            if passage.finished and self._is_last_chunk_due:
                self._is_last_chunk_due = False
                self._queue.append(LAST_CHUNK)
        else:
            self._queue += pieces

    def flush(self) -> None:
        """Write what is queued for the upstream, in one piece."""
        if self._queue and self._upstream is not None:
            data = self._queue[0] if len(self._queue) == 1 else b"".join(self._queue)
            self._queue.clear()
            self._upstream.write(data)

    def client_writable(self, writable: bool) -> None:
        """Back-pressure: the client reads slower than the upstream sends."""
        if self._upstream is not None:
            self._upstream.pause_reading(not writable)

    def on_deadline(self) -> None:
        """What was waited for did not come."""
        if self._answer.response is not None:
            self._cut()
        elif self._upstream is not None and self._upstream.paused:
            self._refuse(self._failure(504, "it took no more of the request body"))
        elif not self._body.done:
            self._refuse(Deny(408, "egress: target: the request body stalled", Hint.NONE))
        else:
            self._refuse(self._failure(504, "it did not answer in time"))

    def recheck(self) -> None:
        """A new policy is in force: end, if it no longer allows this. What has not gone out yet goes as the
        new policy says: its credential, its header fields, to an address that it opens."""
        passage = self._passage
        verdict = decide(self._gateway.policy, passage.identity, cut_off=self._gateway.cut_off)
        if not isinstance(verdict, Allow) or not allowed_now(self._gateway, passage.identity, self._upstream):
            self._cut()
            return
        if not passage.finished and verdict.route.dlp != passage.allow.route.dlp:
            self._cut()  # it was judged, or is, by other rules
            return
        changed = verdict != passage.allow
        passage.allow = verdict
        if passage.is_open:
            self._allow = verdict
        if changed and self._opening is not None:
            self._opening.cancel()
            self._open()

    def cancel(self) -> None:
        """The client has gone."""
        self._end()
        self._drop_upstream()

    # -- the upstream's side

    def upstream_events(self, events: list[Event]) -> None:
        if self._recording is not None:
            self._recording.take(events)
        first = events[0]
        if isinstance(first, ParsedResponse) and first.status == 101:
            self._become_websocket(first, events[1:])
            return
        answer = self._answer
        last = not self._body.done or self._gateway.draining
        data = answer.take(events, self.identity, self._allow, last=last)
        self._client.deadline = self._now() + self._gateway.limits.response_stall_s
        if data:
            self._client.send(data)
        if answer.refused is not None and not answer.ended:
            self._refuse(answer.refused)
        elif answer.ended:
            if answer.refused is not None:  # the upstream is in the middle of its response
                self._drop_upstream()
            self._finish()

    def _become_websocket(self, response: ParsedResponse, rest: list[Event]) -> None:
        """The upstream has taken up the WebSocket that was asked for: hand both connections over."""
        upstream, opening = self._upstream, self._websocket
        assert upstream is not None and opening is not None
        gateway, client, identity = self._gateway, self._client, self.identity
        try:
            opened = opening.check(response)
        except Malformed as error:
            self._refuse(self._failure(502, error.what))
            return
        self._upstream = None
        client.send(
            opening.answer(response, opened, gateway.inspector.known, cookies=self._allow.keeps_cookies)
        )
        websocket = WebSocket(
            gateway,
            client,
            identity,
            upstream,
            inside=opening.inside,
            outside=opened.deflate,
            is_allowed=lambda: allowed_now(gateway, identity, upstream),
            recording=self._recording,
            outbound=client_messages(
                gateway, identity, client.loop, provider=self._allow.route.provider is not None
            ),
            inbound=server_messages(gateway, identity),
        )
        self._over = True  # its place among the active ones goes on with the WebSocket
        self._passage.close()
        upstream.flow = websocket
        client.becomes_websocket(websocket)
        websocket.upstream_events(rest)
        client.pump()

    def _finish(self) -> None:
        body_left = not self._body.done
        self._end()
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.flow = None
            upstream.pause_reading(False)
            if upstream.open and upstream.reader.reusable and not body_left:
                upstream.used = True
                upstream.idle_since = self._now()
                self._client.upstream = upstream
            elif body_left:
                upstream.abort()
            else:
                upstream.close()
        self._client.exchange_over(keep_alive=self._answer.keep_alive, body_left=body_left)

    def upstream_lost(self, why: str) -> None:
        upstream, self._upstream = self._upstream, None
        if self._over:
            return
        if self._answer.response is not None:
            self._cut()
        elif (
            upstream is not None
            and upstream.used
            and self.identity.method in _REPEATABLE
            and self._parsed.framing.body is Body.NONE
        ):
            self._open()
        else:
            self._refuse(self._failure(502, why))

    def upstream_writable(self, writable: bool) -> None:
        if writable:
            self._client.pump()

    # -- ends

    def _failure(self, status: int, why: str) -> Deny:
        return upstream_deny(status, why, self._allow.route.provider)

    def _refuse(self, deny: Deny) -> None:
        """The only end before the response's head: an answer of ours."""
        if self._over:
            return
        if self._answer.response is not None:
            self._cut()
            return
        body_left = not self._body.done
        self._end()
        self._drop_upstream()
        self._client.exchange_refused(
            deny, self.identity, keep_alive=self._answer.keep_alive, body_left=body_left
        )

    def _cut(self) -> None:
        self._end()
        self._drop_upstream()
        self._client.cut(flush=self._answer.is_framed)

    def _drop_upstream(self) -> None:
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.abort()

    def _end(self) -> None:
        self._passage.close()
        if not self._over:
            self._over = True
            self._gateway.active -= 1
            if self._recording is not None:
                self._recording.done()
        opening, self._opening = self._opening, None
        if opening is not None and opening is not asyncio.current_task():
            opening.cancel()
