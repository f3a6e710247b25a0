"""A request as its parts, so that any of them can be changed alone; and the cases that come of it.

Nothing here judges: a draft renders whatever it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

HOST = b"amb.example"
IDN_HOST = b"xn--bcher-kva.example"
V4_HOST = b"192.0.2.7"
V6_HOST = b"[2001:db8::7]"
ALLOWED_HOSTS = (HOST, IDN_HOST, V4_HOST, V6_HOST)
"""each has a route that opens paths below /ok, and nothing else has one"""

SMUGGLED = b"GET /no/smuggled HTTP/1.1\r\nHost: amb.example\r\n\r\n"
"""Sent behind most cases. No rule opens it: whoever sees it upstream has been smuggled to."""


class Mode(StrEnum):
    """How a client reaches the proxy."""

    DIRECT = "direct"
    """absolute-form on the proxy's port"""
    TUNNEL = "tunnel"
    """plain HTTP in a CONNECT to port 80"""
    TLS = "tls"
    """TLS in a CONNECT to port 443"""


ORIGINS = {Mode.DIRECT: b"http://amb.example", Mode.TUNNEL: b"", Mode.TLS: b""}


@dataclass(frozen=True)
class Draft:
    """One request, and what is sent before and after it."""

    method: bytes = b"GET"
    gap1: bytes = b" "
    target: bytes = b"/ok/p?q=1"
    gap2: bytes = b" "
    version: bytes = b"HTTP/1.1"
    lines: tuple[bytes, ...] = (b"Host: amb.example", b"X-A: b", b"Accept: */*")
    eol: bytes = b"\r\n"
    eols: tuple[tuple[int, bytes], ...] = ()
    """line ends other than ``eol``, by line: 0 is the request line"""
    end: bytes = b"\r\n"
    body: bytes = b""
    lead: bytes = b""
    tail: bytes = SMUGGLED
    late: bool = False
    """the body is sent later than the head"""
    whole_target: bool = False
    """the target stands as it is, also where clients write the absolute form"""
    connect: bytes = b""
    """CONNECT target instead of the usual one"""

    def head(self, mode: Mode) -> bytes:
        target = self.target
        if not self.whole_target and target.startswith(b"/"):
            target = ORIGINS[mode] + target
        special = dict(self.eols)
        first = self.method + self.gap1 + target + self.gap2 + self.version
        lines = [line + special.get(at, self.eol) for at, line in enumerate((first, *self.lines))]
        return self.lead + b"".join(lines) + self.end

    def pieces(self, mode: Mode) -> tuple[bytes, ...]:
        head, rest = self.head(mode), self.body + self.tail
        return tuple(piece for piece in ((head, rest) if self.late else (head + rest,)) if piece)

    def with_line(self, line: bytes, *, at: int | None = None) -> Draft:
        """One more line, by default the last."""
        lines = list(self.lines)
        lines.insert(len(lines) if at is None else at, line)
        return replace(self, lines=tuple(lines))

    def without(self, name: bytes) -> Draft:
        """Without the lines of field *name*."""
        kept = tuple(line for line in self.lines if not line.lower().startswith(name.lower() + b":"))
        return replace(self, lines=kept)

    def with_host(self, line: bytes) -> Draft:
        """*line* instead of the Host line."""
        return replace(self, lines=(line, *self.without(b"host").lines))


GET = Draft()
POST = Draft(method=b"POST", body=b"hello").with_line(b"Content-Length: 5")
CHUNKED = Draft(method=b"PUT", body=b"5\r\nhello\r\n0\r\n\r\n").with_line(b"Transfer-Encoding: chunked")
CONNECT = Draft(
    method=b"CONNECT",
    target=b"amb.example:80",
    whole_target=True,
    lines=(b"Host: amb.example:80", b"X-A: b"),
    tail=GET.head(Mode.TUNNEL) + SMUGGLED,
)
"""what goes through the tunnel comes right behind"""
BASES = {"get": GET, "post": POST, "chunked": CHUNKED}

Change = Callable[[Draft], Draft]


@dataclass(frozen=True)
class Mutation:
    """A named change and the bases that it makes sense on."""

    kind: str
    name: str
    change: Change
    bases: tuple[str, ...] = ("get", "post", "chunked")


@dataclass(frozen=True)
class Case:
    """What one client sends, piece by piece, over a connection of its own."""

    kind: str
    name: str
    mode: Mode
    pieces: tuple[bytes, ...]
    connect: bytes = b""

    @property
    def sent(self) -> bytes:
        return b"".join(self.pieces)


def made(kind: str, name: str, draft: Draft, mode: Mode) -> Case:
    return Case(kind, name, mode, draft.pieces(mode), draft.connect)


def distinct(cases: Iterable[Case]) -> Iterator[Case]:
    """Those whose bytes no earlier case has, whatever way they take to the proxy."""
    seen: set[tuple[bytes, bytes]] = set()
    for case in cases:
        key = (case.connect, case.sent)
        if key not in seen:
            seen.add(key)
            yield case
