"""A response's body on its way in: unpacked, inspected, its secrets covered. Sans-I/O (dlp.md §2; ruling 15).

Text that was encoded goes on plain: its length, coding and digests are no longer said. Binary data, and parts of
encoded files (206), go on as they came.
"""

from __future__ import annotations

from bot_bottle.dlp.coding import CodingError, Decoder, parse_codings
from bot_bottle.dlp.inbound.content import Kind, content, may_alter
from bot_bottle.dlp.inbound.mask import Known
from bot_bottle.dlp.inbound.stream import InboundStream, Passed
from bot_bottle.dlp.inbound.watch import Mode
from bot_bottle.egress.config import InboundOnMatch, Route
from bot_bottle.egress.request import RequestIdentity
from bot_bottle.egress.verdict import Allow, Deny, Hint
from bot_bottle.sidecar.proxy.http1 import Body, ParsedResponse
from bot_bottle.sidecar.proxy.incoming import Incoming

MODES = {
    None: Mode.BY_FINDING,
    InboundOnMatch.BLOCK: Mode.BLOCK,
    InboundOnMatch.WARN: Mode.WARN,
    InboundOnMatch.OFF: Mode.OFF,
}

EVENTS_END = b'event: error\ndata: {"error":"egress_blocked","reason":"%b"}\n\n'
"""What a client of server-sent events sees instead of what was blocked; the reason is a fixed sentence."""


class Blocked(Exception):
    """Nothing more of the body may pass; ``data`` of it may, which came before. ``deny`` says why."""

    def __init__(self, deny: Deny, data: bytes = b"") -> None:
        super().__init__(deny.reason)
        self.deny = deny
        self.data = data


def is_exempt(route: Route) -> bool:
    """Whether orders to the agent are not looked for: the route says so, or it is the provider's own interface and
    does not say otherwise."""
    named = route.dlp.inbound_detectors
    return route.provider is not None if named is None else not named


class InboundBody:
    """One body. ``feed`` any number of times, then ``finish``; both give what may go on."""

    def __init__(
        self,
        incoming: Incoming,
        known: Known,
        identity: RequestIdentity,
        allow: Allow,
        response: ParsedResponse,
    ) -> None:
        """Raises :class:`Blocked` for a body that can't be read."""
        self._incoming = incoming
        self._identity = identity
        route = allow.route
        fields = {lower: value for _, lower, value, _ in response.headers}
        said = content(fields.get(b"content-type", b"").decode("latin-1"))
        names = [lower.decode("latin-1") for lower in fields]
        self._decoder = self._decoding(response, fields, said.kind)
        self._stream = InboundStream(
            fields.get(b"content-type", b"").decode("latin-1"),
            known=known,
            exempt=is_exempt(route),
            mode=MODES[route.dlp.inbound_on_match],
            alter=may_alter(said, status=response.status, header_names=names, path=identity.path),
        )
        self.is_events = said.kind is Kind.EVENTS
        self.is_decoded = self._decoder is not None
        self.changes_length = self._decoder is not None or not self._stream.keeps_length

    def _decoding(self, response: ParsedResponse, fields: dict[bytes, bytes], kind: Kind) -> Decoder | None:
        if b"content-encoding" not in fields or kind is Kind.BINARY or response.framing.body is Body.NONE:
            return None
        told = [
            value.decode("latin-1") for _, lower, value, _ in response.headers if lower == b"content-encoding"
        ]
        codings = parse_codings(",".join(told))
        if response.status == 206 or codings is None:
            raise self._unreadable("its content coding is unknown or it is a part of one")
        return Decoder(codings) if codings else None

    def _unreadable(self, why: str) -> Blocked:
        reason = f"egress DLP: the response can't be read: {why}"
        return Blocked(self._incoming.refusal(self._identity.host, Deny(403, reason, Hint.NONE)))

    def feed(self, data: bytes) -> bytes:
        """Raises :class:`Blocked`."""
        if self._decoder is None:
            return self._inspected(self._stream.feed(data))
        out = []
        try:
            for piece in self._decoder.feed(data):
                out.append(self._inspected(self._stream.feed(piece)))
        except CodingError as error:
            raise self._unreadable(str(error)) from None
        return b"".join(out)

    def finish(self) -> bytes:
        """Raises :class:`Blocked`."""
        try:
            if self._decoder is not None:
                self._decoder.finish()
        except CodingError as error:
            raise self._unreadable(str(error)) from None
        return self._inspected(self._stream.finish())

    def last_event(self, deny: Deny) -> bytes:
        """What ends a stream of events."""
        begin = b"\n\n" if self._stream.within_event else b""
        return begin + EVENTS_END % deny.reason.encode("ascii", "replace")

    def _inspected(self, passed: Passed) -> bytes:
        if passed.findings:
            deny = self._incoming.note(passed.findings, self._identity)
            if deny is not None:
                raise Blocked(deny, passed.data)
        return passed.data
