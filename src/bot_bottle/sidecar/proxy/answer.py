"""A response on its way to the client: inspected, its head written anew, its body framed for it. Sans-I/O.

A head that comes with the begin of its body waits until that was judged; one that comes alone goes at once. A body
whose length may change is sent in chunks, or until the end of the connection where the client does not know them.
"""

from __future__ import annotations

from bot_bottle.dlp.inbound.mask import Known
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Deny
from bot_bottle.sidecar.proxy.http1 import Body, Field, Framing, ParsedRequest, ParsedResponse
from bot_bottle.sidecar.proxy.inbound import Blocked, InboundBody
from bot_bottle.sidecar.proxy.incoming import Incoming
from bot_bottle.sidecar.proxy.response import END, Event
from bot_bottle.sidecar.proxy.rewriting import without_secrets
from bot_bottle.sidecar.proxy.write import LAST_CHUNK, chunk, response_head

_SAID_OF_THE_CODING = frozenset(
    {b"content-encoding", b"content-md5", b"content-digest", b"digest", b"accept-ranges"}
)
"""Fields that are wrong once a body was unpacked (RFC 9110 section 8.4, RFC 9530)"""


class Answer:
    """To one request: :meth:`take` what the upstream's reader gives, as it gives it."""

    def __init__(self, parsed: ParsedRequest, incoming: Incoming, known: Known) -> None:
        self._incoming = incoming
        self._known = known
        self._knows_chunks = parsed.head.version == b"HTTP/1.1"
        self.keep_alive = parsed.keep_alive
        """the connection goes on after it"""
        self.response: ParsedResponse | None = None
        """its head has gone"""
        self.ended = False
        """all of it has gone"""
        self.refused: Deny | None = None
        """why nothing more of it may go; the head may not have gone"""
        self._chunked = False
        self._body: InboundBody | None = None

    @property
    def is_framed(self) -> bool:
        """The client can tell by the framing that it was cut."""
        return self._chunked or (self.response is not None and self.response.framing.body is Body.LENGTH)

    def take(self, events: list[Event], identity: RequestIdentity, allow: Allow, *, last: bool) -> bytes:
        """What goes to the client now. *last*: the connection ends with this answer."""
        head: ParsedResponse | None = None
        pieces: list[bytes] = []
        ended = False
        try:
            for event in events:
                if isinstance(event, bytes):
                    pieces.append(event if self._body is None else self._body.feed(event))
                elif event is END:
                    ended = True
                    if self._body is not None:
                        pieces.append(self._body.finish())
                elif isinstance(event, ParsedResponse):
                    head = event
                    if event.framing.body is not Body.NONE:
                        self._body = InboundBody(self._incoming, self._known, identity, allow, event)
        except Blocked as blocked:
            self.refused = blocked.deny
            if head is not None:
                return b""
            return self._last_words(blocked)
        data = b"".join(pieces)
        begin = b"" if head is None else self._begin(head, last, allow)
        self.ended = ended
        return begin + self._framed(data, ended)

    def _last_words(self, blocked: Blocked) -> bytes:
        """What was before it goes; events have one more, that says why no more come."""
        data, body = blocked.data, self._body
        self.ended = body is not None and body.is_events and (self._chunked or not self._knows_chunks)
        if self.ended and body is not None:
            data += body.last_event(blocked.deny)
            self.keep_alive = False
        return self._framed(data, self.ended)

    def _framed(self, data: bytes, ended: bool) -> bytes:
        if not self._chunked:
            return data
        return (chunk(data) if data else b"") + (LAST_CHUNK if ended else b"")

    def _begin(self, response: ParsedResponse, last: bool, allow: Allow) -> bytes:
        self.response = response = self._mended(response)
        framing = response.framing.body
        if framing is Body.CHUNKED or framing is Body.UNTIL_CLOSE:
            self._chunked = self._knows_chunks
            self.keep_alive = self.keep_alive and self._chunked
        if last:
            self.keep_alive = False
        return response_head(
            response, chunked=self._chunked, keep_alive=self.keep_alive, cookies=allow.keeps_cookies
        )

    def _mended(self, response: ParsedResponse) -> ParsedResponse:
        """*response* as it is true of the body that goes, without secrets in its fields."""
        headers = without_secrets(self._known, response.headers)
        framing, body = response.framing, self._body
        if body is not None and body.is_decoded:
            headers = [_weak(field) for field in headers if field[1] not in _SAID_OF_THE_CODING]
        if body is not None and body.changes_length:
            headers = [field for field in headers if field[1] != b"content-length"]
            framing = Framing(Body.CHUNKED)
        if framing is response.framing and headers is response.headers:
            return response
        return ParsedResponse(
            response.status, response.reason, headers, framing, response.keep_alive, response.connection_names
        )


def _weak(field: Field) -> Field:
    """An entity tag of the packed body is a weak one of what it reads as (RFC 9110 section 8.8.1)."""
    name, lower, value, pair = field
    if lower != b"etag" or value.startswith(b"W/"):
        return field
    return name, lower, b"W/" + value, (pair[0], b"W/" + value)
