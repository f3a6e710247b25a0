"""What level 2 of the log says of one exchange: ``egress_request`` and ``egress_response`` (egress.md §6).

Every header value and body passes the redactor, first whole as far as it was kept, then it is cut (ruling 11): so
that no part of a secret is left where the cut goes through it. Fields that carry a credential are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

from bot_bottle.dlp.coding import CodingError, Decoder, parse_codings
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow
from bot_bottle.sidecar.proxy.body import BodyReader
from bot_bottle.sidecar.proxy.http1 import ParsedResponse
from bot_bottle.sidecar.proxy.log import EventLog
from bot_bottle.sidecar.proxy.response import END, Event
from bot_bottle.sidecar.proxy.websocket_frames import Piece

SHOWN_BYTES = 8 * 1024
"""of a body in a record"""
KEPT_BYTES = 32 * 1024
"""of a body, to be redacted and then cut"""
UNSURE_BYTES = 4 * 1024
"""At the end of a body that was not kept whole: a secret that begins there may not be known by its first half.
Longer than any credential without line breaks, in any encoding."""

LEFT_OUT = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
    }
)
"""beside the fields that the route injects"""

Redactor = Callable[[str], str]
"""gives a text without any secret; never raises"""

_numbers = count(1)


def everything_redacted(text: str) -> str:
    """For a log that has no scanner: nothing is shown."""
    return "[redacted]" if text else ""


class Excerpt:
    """The beginning of a body, and its length."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._kept = 0
        self.size = 0

    def add(self, data: bytes) -> None:
        self.size += len(data)
        room = KEPT_BYTES - self._kept
        if room > 0:
            self._parts.append(data[:room])
            self._kept += min(room, len(data))

    def shown(self, redact: Redactor, coding: str = "") -> dict[str, object]:
        """``body`` and ``body_bytes`` (as they went over the wire); what is no text is not shown. *coding*: the
        content codings that it is packed in."""
        if not self.size:
            return {"body_bytes": 0}
        plain, is_whole = self._plain(coding)
        text = plain.decode("utf-8", "ignore")
        if len(plain) - len(text.encode()) > (0 if is_whole else 3):  # a character that was cut in two
            return {"body_bytes": self.size}
        clean = redact(text).encode()
        end = SHOWN_BYTES if is_whole else max(0, min(SHOWN_BYTES, len(clean) - UNSURE_BYTES))
        return {"body": clean[:end].decode("utf-8", "ignore"), "body_bytes": self.size}

    def _plain(self, coding: str) -> tuple[bytes, bool]:
        """The text as far as it was kept, and whether that is all of it."""
        raw, is_whole = b"".join(self._parts), self._kept == self.size
        codings = parse_codings(coding)
        if not codings:
            return (raw, is_whole) if codings is not None else (b"\xff", True)
        plain = b""
        try:
            for piece in Decoder(codings).feed(raw):
                plain += piece
                if len(plain) > KEPT_BYTES:
                    return plain[:KEPT_BYTES], False
        except CodingError:
            return b"\xff", True
        return plain, is_whole


class Recording:
    """One exchange. The connection's side feeds :meth:`tee`, the upstream's :meth:`take`."""

    def __init__(self, log: EventLog, redact: Redactor, identity: RequestIdentity, allow: Allow) -> None:
        self._log = log
        self._redact = redact
        self._identity = identity
        self._allow = allow
        self._left_out = LEFT_OUT | {inject.header.lower() for inject in allow.inject}
        self._number = next(_numbers)
        self._sent = Excerpt()
        self._received = Excerpt()
        self._response: ParsedResponse | None = None
        self._has_request = False
        self._is_over = False

    def tee(self, reader: BodyReader) -> BodyReader:
        """*reader*, whose pieces are kept in passing."""
        return _Tee(reader, self._sent.add)

    def take(self, events: Iterable[Event]) -> None:
        """What the upstream answers."""
        for event in events:
            if isinstance(event, ParsedResponse):
                self._request()
                self._response = event
                if event.status == 101:
                    self.done()
            elif event is END:
                self.done()
            elif isinstance(event, bytes) and not self._is_over:
                self._received.add(event)

    def done(self) -> None:
        """Nothing more comes. Idempotent."""
        if self._is_over:
            return
        self._is_over = True
        self._request()
        response = self._response
        if response is not None:
            fields = [(field[0].decode("latin-1"), field[2].decode("latin-1")) for field in response.headers]
            self._log.traffic(
                "egress_response",
                request=self._number,
                host=self._identity.host,
                status=response.status,
                headers=self._headers(fields),
                **self._received.shown(self._redact, _coding(fields)),
            )

    def messages(self, by: str) -> Callable[[Piece], None]:
        """Takes the pieces of messages of the WebSocket that this exchange has opened; *by*: whose, ``bottle`` or
        ``upstream``."""
        excerpt = Excerpt()

        def take(piece: Piece) -> None:
            nonlocal excerpt
            excerpt.add(piece.data)
            if piece.ends:
                whole, excerpt = excerpt, Excerpt()
                self._log.traffic(
                    "egress_message",
                    request=self._number,
                    host=self._identity.host,
                    by=by,
                    kind="text" if piece.is_text else "binary",
                    **whole.shown(self._redact),
                )

        return take

    def _request(self) -> None:
        if self._has_request:
            return
        self._has_request = True
        identity = self._identity
        self._log.traffic(
            "egress_request",
            request=self._number,
            host=identity.host,
            port=identity.port,
            method=identity.method,
            path=self._redact(identity.target),
            headers=self._headers(self._allow.headers),
            **self._sent.shown(self._redact, _coding(self._allow.headers)),
        )

    def _headers(self, fields: Iterable[tuple[str, str]]) -> list[list[str]]:
        """Names are redacted as well: a client chooses them."""
        return [
            [self._redact(name), self._redact(value)]
            for name, value in fields
            if name.lower() not in self._left_out
        ]


def _coding(fields: Iterable[tuple[str, str]]) -> str:
    return ",".join(value for name, value in fields if name.lower() == "content-encoding")


class _Tee:
    """A body reader that shows its pieces to somebody else, too."""

    def __init__(self, reader: BodyReader, show: Callable[[bytes], None]) -> None:
        self._reader = reader
        self._show = show
        self.done = reader.done
        self.rest = reader.rest

    def feed(self, data: bytes) -> list[bytes]:
        pieces = self._reader.feed(data)
        for piece in pieces:
            self._show(piece)
        self.done, self.rest = self._reader.done, self._reader.rest
        return pieces

    def end(self) -> bool:
        return self._reader.end()
