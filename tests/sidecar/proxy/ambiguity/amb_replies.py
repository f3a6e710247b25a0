"""What hostile or careless upstreams answer: mutated responses, most with a forged one behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from amb_draft import Mode
from amb_framing import CHUNK_ENDS, CODINGS, LAST_SIZES, LENGTH_NAMES, LENGTHS, SIZES, TRAILERS
from amb_heads import FIELDS, FOLDS, LEADS, LINE_ENDS

INJECTED = b"HTTP/1.1 200 OK\r\nX-Injected: yes\r\nContent-Length: 3\r\n\r\nbad"
"""sent behind a response; no client may take it for one"""
SECOND = b"HTTP/1.1 200 OK\r\nX-Second: yes\r\nContent-Length: 6\r\n\r\nsecond"
"""the answer to the next request"""


@dataclass(frozen=True)
class Reply:
    """What the upstream answers to a request of one method."""

    kind: str
    name: str
    data: bytes
    method: bytes = b"GET"
    closes: bool = False
    """the upstream ends the connection behind it"""
    mode: Mode = Mode.TUNNEL
    at_once: bool = False
    """the client sends its second request together with the first"""


def reply(*lines: bytes, body: bytes = b"", first: bytes = b"HTTP/1.1 200 OK", end: bytes = b"\r\n") -> bytes:
    return end.join([first, b"X-R: 1", *lines]) + end + end + body


STATUS_LINES = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1  200 OK", b"HTTP/1.1 200  OK",
    b"HTTP/1.0 200 OK", b"HTTP/1.2 200 OK", b"HTTP/0.9 200 OK", b"HTTP/2 200", b"HTTP/2.0 200 OK",
    b"http/1.1 200 OK", b"HTTP/1.1\t200\tOK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 099 OK",
    b"HTTP/1.1 000 OK", b"HTTP/1.1 600 OK", b"HTTP/1.1 999 OK", b"HTTP/1.1 -200 OK", b"HTTP/1.1 +200 OK",
    b"HTTP/1.1 0x200 OK", b"HTTP/1.1 2e2 OK", b"HTTP/1.1 200OK", b"HTTP/1.1 OK", b"HTTP/1.1", b"HTTP/1.1 ",
    b"", b"ICY 200 OK", b"200 OK", b"OK", b"HTTP/1.1 200 \xc3\xa4", b"HTTP/1.1 200 \xff",
    b"HTTP/1.1 200 O\tK", b"HTTP/1.1 200 O\0K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 O\x0bK",
    b"HTTP/1.1 200 O\x7fK", b" HTTP/1.1 200 OK", b"\xef\xbb\xbfHTTP/1.1 200 OK",
    b"HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK", b"HTTP/11 200 OK", b"HTTP/1. 200 OK", b"HTTP/1.10 200 OK",
    b"HTTP/01.1 200 OK", b"HTTPS/1.1 200 OK", b"HTTP/1.1 200 " + b"O" * 3000, b"GET / HTTP/1.1",
    b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 201 Created", b"HTTP/1.1 302 Found",
    b"HTTP/1.1 404 Not Found", b"HTTP/1.1 500 X", b"HTTP/1.1 599 X", b"HTTP/1.1 418 I'm",
    b"HTTP/1.1 200 OK HTTP/1.1 404", b"HTTP/1.1 200.0 OK", b"HTTP/1.1 \xef\xbc\x9200 OK", b"HTTP/1.1 407 X",
    b"HTTP/1.1 426 X",
]  # fmt: skip
CONNECTIONS = [
    b"close", b"keep-alive", b"Close", b"close, keep-alive", b"keep-alive, close", b"Content-Length",
    b"X-R", b"Transfer-Encoding", b"upgrade", b"", b",", b"close\0", b'"close"', b"closed", b"x-r, close",
]  # fmt: skip


def framings() -> Iterator[tuple[str, str, bytes]]:
    right = b"Content-Length: 5"
    for value in LENGTHS:
        line = b"Content-Length: " + value
        yield "length", f"{value!r}", reply(line, body=b"hello")
        yield "length", f"{value!r} twice", reply(line, line, body=b"hello")
        yield "length", f"{value!r} behind the right one", reply(right, line, body=b"hello")
    for name in LENGTH_NAMES:
        yield "length", f"name {name!r}", reply(name + b": 5", body=b"hello")
        yield (
            "length",
            f"name {name!r} and another",
            reply(b"Content-Length: 2", name + b": 5", body=b"hello"),
        )
    for value in CODINGS:
        line = b"Transfer-Encoding: " + value
        yield "coding", f"{value!r}", reply(line, body=b"5\r\nhello\r\n0\r\n\r\n")
        yield "coding", f"{value!r} and a length", reply(right, line, body=b"5\r\nhello\r\n0\r\n\r\n")
        yield (
            "coding",
            f"{value!r} in 1.0",
            reply(line, body=b"5\r\nhello\r\n0\r\n\r\n", first=b"HTTP/1.0 200 OK"),
        )
    yield "length", "none", reply(body=b"hello")


def chunkings() -> Iterator[tuple[str, str, bytes]]:
    def chunked(name: str, body: bytes) -> tuple[str, str, bytes]:
        return "chunk", name, reply(b"Transfer-Encoding: chunked", body=body)

    for size in SIZES:
        yield chunked(f"size {size!r}", size + b"\r\nhello\r\n0\r\n\r\n")
    for size in LAST_SIZES:
        yield chunked(f"last {size!r}", b"5\r\nhello\r\n" + size + b"\r\n\r\n")
    for end in CHUNK_ENDS:
        yield chunked(f"{end!r} behind the size", b"5" + end + b"hello\r\n0\r\n\r\n")
        yield chunked(f"{end!r} behind the data", b"5\r\nhello" + end + b"0\r\n\r\n")
        yield chunked(f"{end!r} behind the last size", b"5\r\nhello\r\n0" + end + b"\r\n")
        yield chunked(f"{end!r} at the end", b"5\r\nhello\r\n0\r\n" + end)
    for trailer in TRAILERS:
        yield chunked(f"trailer {trailer[:40]!r}", b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n")


def heads() -> Iterator[tuple[str, str, bytes]]:
    right = b"Content-Length: 5"
    for first in STATUS_LINES:
        yield "status line", repr(first[:40]), reply(right, body=b"hello", first=first)
    for line in FIELDS:
        yield "field", repr(line[:40]), reply(line, right, body=b"hello")
    for end in LINE_ENDS:
        yield "line end", f"{end!r} everywhere", reply(right, body=b"hello", end=end)
        yield "line end", f"{end!r} in front of the length", reply(b"X-B: c" + end + right, body=b"hello")
        yield "line end", f"{end!r} for the empty line", reply(right)[:-2] + end + b"hello"
        yield (
            "line end",
            f"{end!r} behind the first",
            b"HTTP/1.1 200 OK" + end + b"X-R: 1\r\n" + right + b"\r\n\r\nhello",
        )
    for lead in LEADS:
        yield "line end", f"{lead!r} in front", lead + reply(right, body=b"hello")
    for fold in FOLDS:
        yield "fold", repr(fold), reply(b"X-B: a" + fold + b"b", right, body=b"hello")
        yield "fold", f"{fold!r} in the length", reply(b"Content-Length:" + fold + b"5", body=b"hello")
        yield "fold", f"{fold!r} before the length", reply(b"X-B: a" + fold + right, body=b"hello")
    for value in CONNECTIONS:
        yield "connection", repr(value), reply(b"Connection: " + value, right, body=b"hello")
        yield (
            "connection",
            f"{value!r} in 1.0",
            reply(b"Connection: " + value, right, body=b"hello", first=b"HTTP/1.0 200 OK"),
        )


def bodiless() -> Iterator[Reply]:
    announced: tuple[tuple[bytes, ...], ...] = (
        (), (b"Content-Length: 0",), (b"Content-Length: 5",), (b"Content-Length: 05",),
        (b"Transfer-Encoding: chunked",), (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    )  # fmt: skip
    statuses = (b"100", b"101", b"102", b"103", b"199", b"204", b"205", b"304", b"200")
    for status, lines, body in product(statuses, announced, (b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n")):
        first = b"HTTP/1.1 " + status + b" X"
        data = reply(*lines, body=body, first=first)
        for method in (b"GET", b"HEAD"):
            yield Reply("bodiless", f"{status!r} {lines!r} {body!r}", data, method)
            if status.startswith(b"1"):
                final = data + reply(b"Content-Length: 5", body=b"hello" if method == b"GET" else b"")
                yield Reply("interim", f"{status!r} {lines!r} {body!r}, then 200", final, method)
    for count in (2, 16, 17, 40):
        many = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * count
        yield Reply("interim", f"{count} hints", many + reply(b"Content-Length: 5", body=b"hello"))


def cuts() -> Iterator[Reply]:
    for name, whole in {
        "length": reply(b"Content-Length: 5", body=b"hello"),
        "chunked": reply(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
    }.items():
        for cut in range(0, len(whole), 2):
            yield Reply("cut", f"{name} after {cut}", whole[:cut], closes=True)


def _all() -> Iterator[Reply]:
    modes = (Mode.TUNNEL, Mode.DIRECT, Mode.TLS)
    number = 0
    for family in (framings, chunkings, heads):
        for kind, name, data in family():
            number += 1
            behind = INJECTED if number % 3 else b""
            yield Reply(
                kind, name, data + behind, b"GET", number % 2 == 0, modes[number % 5 % 3], number % 7 == 0
            )
    for one in bodiless():
        number += 1
        behind = INJECTED if number % 3 else b""
        yield Reply(
            one.kind,
            one.name,
            one.data + behind,
            one.method,
            number % 2 == 0,
            modes[number % 5 % 3],
            number % 7 == 0,
        )
    yield from cuts()


@lru_cache(maxsize=1)
def replies() -> tuple[Reply, ...]:
    """Every distinct one, always in the same order."""
    return tuple({(one.method, one.data, one.closes): one for one in _all()}.values())
