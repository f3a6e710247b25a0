"""One upstream connection's bytes, turned into heads, body pieces and ends. Pure, sans-I/O.

===========  =================================  ==========================================
state        bytes do                           next
===========  =================================  ==========================================
idle         an error: nobody asked             (``expect`` →) head
head         a whole head                       body, or idle after a response without one
body         pieces                             idle at its end
upgraded     pieces of another protocol         (its end is the connection's)
===========  =================================  ==========================================

What follows the end of a response before the next is asked for is never kept for it: the connection is not
to be used again (``reusable`` is False).
"""

from __future__ import annotations

from bot_bottle.sidecar.proxy.body import BodyReader, body_reader
from bot_bottle.sidecar.proxy.http1 import Malformed, ParsedResponse, find_head_end, parse_response
from bot_bottle.sidecar.proxy.limits import Limits


class End:
    """The response is complete."""


END = End()

Event = ParsedResponse | bytes | End


class ResponseReader:
    """Reads the responses of one connection, one request at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._method = ""
        self._waiting = False
        self._buffer = b""
        self._body: BodyReader | None = None
        self._interim = 0
        self._may_upgrade = False
        self._upgraded = False
        self.held = b""
        """was too much work for once: to be fed again, before anything else and before :meth:`end`"""
        self.reusable = True
        """the connection can carry another request once this response has ended"""

    def expect(self, method: str, *, upgrade: bool = False) -> None:
        """A *method* request has been sent; only then may bytes come in. *upgrade*: it may be answered 101, and
        all that follows is then handed on as it is."""
        self._method = method
        self._may_upgrade = upgrade
        self._waiting = True
        self._interim = 0

    def feed(self, data: bytes) -> list[Event]:
        """What *data* completes; raises :class:`Malformed`."""
        events: list[Event] = []
        self.held = b""
        while data:
            if self._upgraded:
                events.append(data)
                break
            if self._body is not None:
                events.extend(self._body.feed(data))
                data = self._body.rest
                if self._body.done:
                    self._finish(events)
                elif data:
                    self.held = data
                    break
            elif self._waiting:
                data = self._head(data, events)
            else:
                self.reusable = False
                if not events:
                    raise Malformed("bytes that nobody asked for")
                break
        return events

    def end(self) -> list[Event]:
        """The upstream has closed in good order; raises :class:`Malformed` where that cuts a response."""
        self.reusable = False
        events: list[Event] = []
        if self._upgraded:
            events.append(END)
        elif self._body is not None and self._body.end():
            self._finish(events)
        elif self._body is not None or self._waiting:
            raise Malformed("the response was cut")
        return events

    def _head(self, data: bytes, events: list[Event]) -> bytes:
        """Take one head out of *data*; the rest is returned."""
        seen = len(self._buffer)
        if seen:
            data = self._buffer + data
            self._buffer = b""
        ends = find_head_end(data, self._limits, seen)
        if ends is None:
            self._buffer = data
            return b""
        head = parse_response(data[: ends[0]], self._method, self._limits)
        rest = data[ends[1] :]
        if head.status == 101:
            if not self._may_upgrade:
                raise Malformed("a change of protocol that nobody asked for")
            self._upgraded, self.reusable = True, False
            events.append(head)
            return rest
        if head.status < 200:
            self._interim += 1
            if self._interim > self._limits.interim_responses:
                raise Malformed("interim responses without end")
            return rest
        if not head.keep_alive:
            self.reusable = False
        self._waiting = False
        events.append(head)
        self._body = body_reader(head.framing, strict=False)
        if self._body.done:
            self._finish(events)
        return rest

    def _finish(self, events: list[Event]) -> None:
        self._body = None
        events.append(END)
