"""One response on its way in: found, stripped, covered, released.

::

    bytes -> Watch (what is not judged yet waits) -> Strip -> Mask -> the agent
    events:  whole events through the same, and what they say put together, over the events' borders

A finding that blocks ends it: what went out until then ends before the sign that led to it, and nothing follows.
Output and findings depend on the bytes alone, not on how they were cut. Memory stays under 1 MiB.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bot_bottle.dlp.finding import Finding, Severity
from bot_bottle.dlp.inbound.charset import Decoding
from bot_bottle.dlp.inbound.content import Kind, Sniff, content
from bot_bottle.dlp.inbound.events import Splitter
from bot_bottle.dlp.inbound.joined import Joined
from bot_bottle.dlp.inbound.mask import Known, Mask, Nothing
from bot_bottle.dlp.inbound.strip import Strip
from bot_bottle.dlp.inbound.watch import Mode, Watch

PART_BYTES = 64 * 1024
"""so much is worked on at a time, whatever comes"""


class Passed(Struct, frozen=True):
    """``data`` may go to the agent now. A finding of severity BLOCK: this was the last of it."""

    data: bytes
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        return any(finding.severity is Severity.BLOCK for finding in self.findings)


class InboundStream:
    """One response.

    *content_type*: the field's value. *exempt*: injections are not looked for (a provider's own interface), secrets
    are. *alter*: what :func:`bot_bottle.dlp.inbound.content.may_alter` said. Not thread-safe.
    """

    def __init__(
        self,
        content_type: str | None,
        *,
        known: Known | None = None,
        exempt: bool = False,
        mode: Mode = Mode.BY_FINDING,
        alter: bool = True,
    ) -> None:
        said = content(content_type)
        looks = not exempt and mode is not Mode.OFF and said.kind is not Kind.BINARY
        self._watch = Watch(mode) if looks else None
        self._strip = Strip(escapes=said.kind in (Kind.JSON, Kind.EVENTS)) if looks and alter else None
        self._mask = Mask(known or Nothing())
        self._sniff = Sniff() if looks and said.kind is Kind.UNKNOWN else None
        self._decoding = Decoding(said.charset) if looks and said.charset not in ("utf-8", "ascii") else None
        self._splitter = Splitter() if said.kind is Kind.EVENTS else None
        self._joined = Joined(known or Nothing(), mode if looks else Mode.OFF)
        self._waiting = bytearray()
        """came, not released"""
        self._released = 0
        self._over = False
        self.within_event = False
        """Events only: part of one has gone, without its end"""

    @property
    def keeps_length(self) -> bool:
        """Whether as many bytes go out as come in, whatever they are (but for a block)."""
        return self._strip is None

    def feed(self, data: bytes) -> Passed:
        out: list[bytes] = []
        found: list[Finding] = []
        for at in range(0, len(data), PART_BYTES):
            part = data[at : at + PART_BYTES]
            if self._splitter is None:
                self._plain(part if self._sniff is None else self._sniff.feed(part), out, found, final=False)
            else:
                self._events(self._splitter.feed(part), out, found)
        return Passed(b"".join(out), tuple(found))

    def finish(self) -> Passed:
        """The response is over. Nothing may be fed any more."""
        out: list[bytes] = []
        found: list[Finding] = []
        if self._splitter is None:
            self._plain(b"" if self._sniff is None else self._sniff.finish(), out, found, final=True)
        else:
            self._events(iter([(self._splitter.finish(), True)]), out, found)
        return Passed(b"".join(out), tuple(found))

    def _plain(self, data: bytes, out: list[bytes], found: list[Finding], *, final: bool) -> None:
        if self._over or not (data or final):
            return
        if self._sniff is not None and self._sniff.is_text is False:
            self._watch = self._strip = self._decoding = None
        self._waiting += data
        told = self._look(data, final=final)
        found += told
        blocked = any(finding.severity is Severity.BLOCK for finding in told)
        self._release(self._limit(final=final or blocked), out, found, whole=final or blocked)
        self._over = self._over or blocked

    def _look(self, data: bytes, *, final: bool) -> list[Finding]:
        if self._watch is None:
            return []
        parts = [data]
        if self._decoding is not None:
            parts = self._decoding.feed(data) + ([self._decoding.finish()] if final else [])
        found = [finding for part in parts for finding in self._watch.feed(part)]
        return found + (self._watch.finish() if final else [])

    def _limit(self, *, final: bool) -> int:
        """Up to where what came may go."""
        come = self._released + len(self._waiting)
        if self._watch is None:
            return come
        waits = self._watch.blocked_at if self._watch.blocked_at is not None else self._watch.held
        if self._decoding is not None:
            come = self._decoding.taken
            waits = None if waits is None else self._decoding.raw_offset(waits)
        if waits is None or (final and self._watch.blocked_at is None):
            return come
        return max(self._released, min(come, waits))

    def _release(self, limit: int, out: list[bytes], found: list[Finding], *, whole: bool) -> None:
        size = limit - self._released
        ready, self._released = bytes(self._waiting[:size]), limit
        del self._waiting[:size]
        if self._strip is not None:
            ready = self._strip.feed(ready) + (self._strip.finish() if whole else b"")
            found += self._strip.findings
            self._strip.findings = []
        out.append(self._mask.feed(ready))
        if whole:
            out.append(self._mask.finish())
        found += self._mask.findings
        self._mask.findings = []

    def _events(self, events: Iterator[tuple[bytes, bool]], out: list[bytes], found: list[Finding]) -> None:
        for event, whole in events:
            if self._over or not event:
                continue
            told = [] if self._watch is None else self._watch.feed(event) + self._watch.finish()
            told += self._joined.feed(event, self._released)
            found += told
            if any(finding.severity is Severity.BLOCK for finding in told):
                self._over = True
                continue
            self._waiting += event
            self._release(self._released + len(event), out, found, whole=whole)
            self.within_event = not whole
