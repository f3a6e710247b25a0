"""Runs the scanner over files for ``scan``: in pieces, with the line of each finding and what surrounds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Protocol

from msgspec import Struct, structs

from bot_bottle.base import messages
from bot_bottle.base.secret import Secret
from bot_bottle.dlp import databases
from bot_bottle.dlp.finding import Finding
from bot_bottle.dlp.inbound.stream import InboundStream, Passed
from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.redact import snippet
from bot_bottle.dlp.scan import BLOCK_BYTES, Engine, What
from bot_bottle.store.layout import default_layout
from bot_bottle.store.pattern_cache import PatternCache

CHUNK_BYTES = 64 * 1024
KEPT_BYTES = 3 * BLOCK_BYTES
"""of what has been read, for snippets: a finding is told at most two blocks later"""


class Seen(Struct, frozen=True):
    finding: Finding
    line: int
    """from 1"""
    snippet: str


class Scan(Protocol):
    """One text in pieces."""

    def feed(self, data: bytes) -> Iterable[Finding]: ...

    def finish(self) -> Iterable[Finding]: ...


class Inspector:
    """Makes one scan after another. *engine* also cleans the snippets."""

    def __init__(self, engine: Engine, begin: Callable[[], Scan]) -> None:
        self._engine = engine
        self._begin = begin

    def text(self, text: bytes) -> Iterator[Seen]:
        """Findings in one text that is in memory."""
        return self._run((text,))

    def stream(self, file: IO[bytes]) -> Iterator[Seen]:
        """Findings in what *file* still has, told as they are found. Raises OSError."""
        return self._run(iter(lambda: file.read(CHUNK_BYTES), b""))

    def _run(self, chunks: Iterable[bytes]) -> Iterator[Seen]:
        scan, recent = self._begin(), _Recent()
        for chunk in chunks:
            recent.add(chunk)
            for finding in scan.feed(chunk):
                yield self._seen(finding, recent)
        for finding in scan.finish():
            yield self._seen(finding, recent)

    def _seen(self, finding: Finding, recent: _Recent) -> Seen:
        start, end = finding.start - recent.base, finding.end - recent.base
        shown = snippet(self._engine, recent.text, max(start, 0), max(end, 0))
        return Seen(finding, recent.line(finding.start), shown)


RESTARTS = 16
"""of one piece of :data:`CHUNK_BYTES`; a text with more that blocks has been told of"""


class _Inbound:
    """An answer of unknown type, as an agent would get it. A finding that blocks would end it there; here the rest
    is looked at as an answer of its own."""

    def __init__(self, known: KnownSecrets) -> None:
        self._known = known
        self._fed = 0
        self._begin(0)

    def feed(self, data: bytes) -> Iterable[Finding]:
        found: list[Finding] = []
        begins, self._fed = self._fed, self._fed + len(data)
        for _ in range(RESTARTS):
            passed = self._stream.feed(data)
            found += self._told(passed)
            if not passed.blocked:
                return found
            rest = max(begins, found[-1].end)
            data, begins = data[rest - begins :], rest
            self._begin(rest)
        self._begin(self._fed)
        return found

    def finish(self) -> Iterable[Finding]:
        return self._told(self._stream.finish())

    def _told(self, passed: Passed) -> list[Finding]:
        return [
            structs.replace(one, start=one.start + self._at, end=one.end + self._at)
            for one in passed.findings
        ]

    def _begin(self, at: int) -> None:
        self._stream = InboundStream(None, known=self._known, alter=False)
        self._at = at


def inspector(way: str, values: Mapping[str, str], *, entropy: bool) -> Inspector:
    """*way*: ``outbound`` or ``inbound``; *values*: known secrets by name. Says which of them are not searched for."""
    databases.keep_in(PatternCache(default_layout().patterns))
    known = KnownSecrets({name: Known(Secret(value), Kind.OPERATOR) for name, value in values.items()})
    for warning in known.warnings:
        messages.warning(warning)
    engine = Engine(Patterns.default(), known)
    if way == "inbound":
        return Inspector(engine, lambda: _Inbound(known))
    return Inspector(engine, lambda: engine.stream(What(entropy=entropy)))


class _Recent:
    """The last of what was read, and how many lines came before it."""

    def __init__(self) -> None:
        self.text = b""
        self.base = 0
        """where ``text`` begins"""
        self._lines = 1

    def add(self, chunk: bytes) -> None:
        self.text += chunk
        if len(self.text) > 2 * KEPT_BYTES:
            gone = len(self.text) - KEPT_BYTES
            self._lines += self.text.count(b"\n", 0, gone)
            self.base += gone
            self.text = self.text[gone:]

    def line(self, offset: int) -> int:
        """The line that *offset* lies in, or the first that is still kept."""
        return self._lines + self.text.count(b"\n", 0, max(0, offset - self.base))
