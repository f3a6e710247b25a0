"""What goes through the messages of a WebSocket: secrets outwards; orders to an agent, and our own secrets, inwards.

A message that ends within ``window_bytes`` is judged whole before any of it goes on. Of a longer one a route that
redacts has all held, and what is found is replaced; any other lets go what has been cleared, and ends the
connection when something is found, before the message's end: nobody gets it whole. Nobody is asked while a
connection waits: what the operator has approved passes, all else closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from bot_bottle.dlp.finding import Finding
from bot_bottle.egress.verdict import Deny
from bot_bottle.sidecar.proxy.websocket_frames import POLICY
from bot_bottle.sidecar.proxy.websocket_relay import Stop

TRY_AGAIN = 1013
"""https://www.iana.org/assignments/websocket: the close code of a server that has no room"""

_NO_ROOM = "egress DLP: too much is held for redaction: try again later"
_BINARY = "egress DLP: a binary message can't be redacted"


class Stream(Protocol):
    """``dlp.scan.Stream``: a text that comes in pieces."""

    @property
    def cleared(self) -> int:
        """Up to here nothing more can be found."""

    def feed(self, data: bytes) -> Iterable[Finding]: ...

    def finish(self) -> Iterable[Finding]: ...


class Rules(Protocol):
    """What the scanner of requests makes of one route, by the policy in force when it is asked."""

    @property
    def holds(self) -> bool:
        """Long messages are held whole, to be redacted."""

    def message(self, data: bytes) -> bytes | Deny:
        """What may go instead of a whole message, or why nothing may. What is found is logged."""

    def stream(self) -> Stream:
        """For a message that does not end."""

    def refusal(self, found: Iterable[Finding]) -> Deny | None:
        """Why a message with *found*, part of which has gone, may not go on; None: it may."""

    def refused(self, deny: Deny) -> None:
        """Log it."""


class Room(Protocol):
    """A share of the memory for what is held (ruling 9)."""

    def has(self, size: int) -> bool:
        """Have at least *size* bytes; False: there are none left."""

    def give_back(self) -> None: ...


class ClientMessages:
    """Of one connection, outwards."""

    def __init__(self, rules: Rules, room: Room, *, window_bytes: int, held_bytes: int) -> None:
        """*held_bytes*: the most that one message may hold."""
        self._rules = rules
        self._room = room
        self._window_bytes = window_bytes
        self._held_bytes = held_bytes
        self._is_text = True
        self._parts: list[bytes] = []
        self._size = 0
        """of the parts"""
        self._stream: Stream | None = None
        """of a message that goes on as it clears"""
        self._sent = 0
        """of such a message"""

    def begin(self, *, is_text: bool) -> None:
        self._is_text = is_text
        self._parts, self._size, self._sent, self._stream = [], 0, 0, None

    def feed(self, data: bytes) -> bytes:
        self._parts.append(data)
        self._size += len(data)
        if self._stream is None:
            if self._size <= self._window_bytes:
                return b""
            if self._rules.holds and self._size <= self._held_bytes:
                if not self._room.has(self._size):
                    raise Stop(_NO_ROOM, TRY_AGAIN)
                return b""
            self._stream = self._rules.stream()
            data = b"".join(self._parts)
            self._room.give_back()
        self._look(self._stream.feed(data))
        return self._cleared(self._stream.cleared)

    def finish(self) -> bytes:
        if self._stream is not None:
            self._look(self._stream.finish())
            self._stream = None
            return b"".join(self._parts)
        data = b"".join(self._parts)
        self._parts = []
        try:
            judged = self._rules.message(data)
        finally:
            self._room.give_back()
        if isinstance(judged, Deny):
            raise self._stop(judged)
        if not self._is_text and judged != data:  # a program reads it by offsets and lengths (ruling 10)
            raise Stop(_BINARY, POLICY)
        return judged

    def close(self) -> None:
        self._parts, self._stream = [], None
        self._room.give_back()

    def _look(self, found: Iterable[Finding]) -> None:
        deny = self._rules.refusal(found)
        if deny is not None:
            raise self._stop(deny)

    def _stop(self, deny: Deny) -> Stop:
        self._rules.refused(deny)
        return Stop(deny.reason, POLICY)

    def _cleared(self, until: int) -> bytes:
        """What has not gone yet up to *until* of the message."""
        held = b"".join(self._parts)
        size = max(0, until - self._sent)
        self._sent += size
        self._parts, self._size = [held[size:]], len(held) - size
        return held[:size]


class Passed(Protocol):
    """``dlp.inbound``: what may go on, and what was found."""

    @property
    def data(self) -> bytes: ...

    @property
    def findings(self) -> Iterable[Finding]: ...


class Inbound(Protocol):
    """``dlp.inbound.InboundStream``: one text from outside."""

    def feed(self, data: bytes) -> Passed: ...

    def finish(self) -> Passed: ...


class ServerMessages:
    """Of one connection, inwards: each message is a text of its own, looked at as far as it has come."""

    def __init__(
        self, start: Callable[[str], Inbound], blocked: Callable[[Iterable[Finding]], Deny | None]
    ) -> None:
        """*start*: for a message, by its media type. *blocked*: logs what was found, and gives the reason to end for
        it."""
        self._start = start
        self._blocked = blocked
        self._is_text = True
        self._stream: Inbound | None = None

    def begin(self, *, is_text: bool) -> None:
        self._is_text = is_text
        self._stream = None

    def feed(self, data: bytes) -> bytes:
        if self._stream is None:
            if not data:
                return b""
            self._stream = self._start(self._media_type(data))
        return self._passed(self._stream.feed(data))

    def finish(self) -> bytes:
        return b"" if self._stream is None else self._passed(self._stream.finish())

    def _media_type(self, data: bytes) -> str:
        """Nothing says it but the message."""
        if not self._is_text:
            return "application/x-binary"
        return "application/json" if data.lstrip()[:1] in (b"{", b"[") else "text/plain"

    def close(self) -> None:
        """Its texts hold a window's worth, and go with it."""

    def _passed(self, passed: Passed) -> bytes:
        if passed.findings:
            deny = self._blocked(passed.findings)
            if deny is not None:
                raise Stop(deny.reason, POLICY)
        return passed.data
