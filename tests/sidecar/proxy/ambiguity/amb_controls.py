"""Well-formed requests: what any client may send, and what has to arrive of it. The proxy that refuses
everything would pass the other tests; these are the ones that it would fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from amb_draft import GET, POST, Draft, Mode

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
TARGETS = {
    b"/ok": b"/ok", b"/ok/": b"/ok/", b"/ok/a/b/c": b"/ok/a/b/c", b"/ok/a.b-c_d~e": b"/ok/a.b-c_d~e",
    b"/ok/%61%2Db": b"/ok/a-b", b"/ok/a%20b": b"/ok/a%20b", b"/ok/%c3%a9": b"/ok/%C3%A9",
    b"/ok/a;b=c": b"/ok/a;b=c", b"/ok/@scope/pkg": b"/ok/@scope/pkg", b"/ok/a:b": b"/ok/a:b",
    b"/ok/a,b+c!$&'()*=": b"/ok/a,b+c!$&'()*=", b"/ok?q": b"/ok?q", b"/ok?": b"/ok?",
    b"/ok?a=b&c=d": b"/ok?a=b&c=d", b"/ok?a=%2F%20": b"/ok?a=%2F%20", b"/ok?a[]=1": b"/ok?a[]=1",
    b"/ok?u=http://x.example/?y": b"/ok?u=http://x.example/?y", b"/ok/./a": b"/ok/a",
    b"/ok/a/../b": b"/ok/b", b"/ok//a": b"/ok/a", b"/ok/%2e/a": b"/ok/a", b"/ok/a[1]": b"/ok/a%5B1%5D",
    b"/ok/" + b"a" * 2000: b"/ok/" + b"a" * 2000,
}  # fmt: skip
"""what a client sends, what arrives"""

FIELD_SETS: tuple[tuple[bytes, ...], ...] = (
    (),
    (b"Accept: */*", b"User-Agent: curl/7.88.1"),
    (b"accept:*/*", b"ACCEPT-ENCODING: gzip"),
    (b"X-Empty:", b"X-Spaces:   a  b  "),
    (b"Cookie: a=b; c=d", b"Cookie: e=f"),
    (b"X-Twice: 1", b"X-Twice: 2", b"x-twice: 1"),
    (b"X-Token!#$%&'*+-.^_`|~1: a",),
    (b"X-Quoted: \"a, b\"; c=\"d\\\"e\"", b"X-Obs: \xe4\xff"),
    (b"X_Under_Score: a", b"X.Dot: b"),
    (b"If-None-Match: W/\"a\", \"b\"", b"Range: bytes=0-99,200-"),
    tuple(b"X-Many-%d: %d" % (n, n) for n in range(80)),
    (b"X-Long: " + b"v" * 8000,),
    (b"Content-Type: multipart/form-data; boundary=a", b"Content-Encoding: identity"),
)  # fmt: skip
DROPPED: tuple[tuple[bytes, ...], ...] = (
    (b"Connection: keep-alive",),
    (b"Connection: X-Hop", b"X-Hop: a"),
    (b"Proxy-Connection: keep-alive", b"Proxy-Authorization: Basic eA=="),
    (b"TE: trailers", b"Trailer: X-T"),
    (b"Keep-Alive: timeout=5",),
    (b"Authorization: Bearer x",),
)
"""legitimate, and not to be passed on"""


@dataclass(frozen=True)
class Expected:
    """One request as it has to arrive."""

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    """all but Host and framing; name in lower case"""
    body: bytes


@dataclass(frozen=True)
class Control:
    """What one client sends over one connection, and all that has to arrive."""

    name: str
    mode: Mode
    pieces: tuple[bytes, ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class Good:
    """A request to send and what comes of it."""

    draft: Draft
    expected: Expected


def good(
    method: bytes = b"GET",
    target: bytes = b"/ok",
    kept: tuple[bytes, ...] = (),
    dropped: tuple[bytes, ...] = (),
    body: bytes | None = None,
    chunks: tuple[int, ...] = (),
    version: bytes = b"HTTP/1.1",
) -> Good:
    """*body* None: none is announced. *chunks*: the sizes that it is cut into, in turn; none: by length."""
    lines = [b"Host: amb.example", *kept, *dropped]
    wire = body or b""
    if body is not None and chunks:
        lines.append(b"Transfer-Encoding: chunked")
        wire = chunked(body, chunks)
    elif body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    draft = Draft(method, target=target, version=version, lines=tuple(lines), body=wire, tail=b"")
    fields = tuple(
        (name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in kept)
    )
    return Good(draft, Expected(method, TARGETS.get(target, target), fields, body or b""))


def chunked(body: bytes, sizes: tuple[int, ...]) -> bytes:
    out, at, turn = b"", 0, 0
    while at < len(body):
        piece = body[at : at + sizes[turn % len(sizes)]]
        out += (b"%x" if turn % 2 else b"%X") % len(piece) + b"\r\n" + piece + b"\r\n"
        at, turn = at + len(piece), turn + 1
    return out + b"0\r\n\r\n"


def singles() -> Iterator[tuple[str, Good]]:
    random = Random(7)
    for method in METHODS:
        for target in TARGETS:
            yield f"{method!r} {target[:40]!r}", good(method, target)
        for fields in FIELD_SETS:
            yield f"{method!r} {fields!r:.60}", good(method, b"/ok/f", fields)
        for dropped in DROPPED:
            yield f"{method!r} without {dropped!r}", good(method, b"/ok/d", (b"X-A: b",), dropped)
        for size in (0, 1, 5, 255, 256, 4095, 65536, 200_000):
            if method == b"HEAD":
                break
            body = random.randbytes(size)
            yield f"{method!r} length {size}", good(method, b"/ok/l", body=body)
            for sizes in ((1,), (1, 2, 3), (16,), (4096,), (65536,)):
                if size // min(sizes) <= 5000:
                    yield (
                        f"{method!r} {size} in chunks of {sizes}",
                        good(method, b"/ok/c", body=body, chunks=sizes),
                    )
        yield (
            f"{method!r} that looks like a request",
            good(method, b"/ok/r", body=b"GET /no HTTP/1.1\r\nHost: amb.example\r\n\r\n"),
        )
        yield f"{method!r} 1.0", good(method, b"/ok/old", version=b"HTTP/1.0")
    yield "100-continue", good(b"POST", b"/ok/e", dropped=(b"Expect: 100-continue",), body=b"hello")
    yield (
        "100-continue in chunks",
        good(b"POST", b"/ok/e", dropped=(b"Expect: 100-continue",), body=b"hello", chunks=(2,)),
    )
    trailer = good(b"PUT", b"/ok/t", body=b"hello", chunks=(5,))
    wire = trailer.draft.body[:-2] + b"X-T: y\r\nX-U: z\r\n\r\n"
    yield "a trailer", replace(trailer, draft=replace(trailer.draft, body=wire))
    yield "absolute form", Good(replace(GET, tail=b""), good(b"GET", b"/ok/p?q=1", GET.lines[1:]).expected)
    yield (
        "POST as mutated elsewhere",
        Good(replace(POST, tail=b""), good(b"POST", b"/ok/p?q=1", POST.lines[1:3], body=b"hello").expected),
    )


def controls() -> Iterator[Control]:
    """One request a connection, then rows of them: one after another, and all at once."""
    modes = (Mode.DIRECT, Mode.TUNNEL, Mode.TLS)
    every = list(singles())
    for number, (name, one) in enumerate(every):
        mode = modes[number % 3]
        late = replace(one.draft, late="continue" in name)
        yield Control(name, mode, late.pieces(mode), (one.expected,))
    random = Random(11)
    lasting = [one for name, one in every if "1.0" not in name and len(one.draft.body) < 5000]
    for number in range(120):
        mode = modes[number % 3]
        row = random.choices(lasting, k=random.randint(2, 6))
        parts = [b"".join(one.draft.pieces(mode)) for one in row]
        pieces = (b"".join(parts),) if number % 2 else tuple(parts)
        name = f"{len(row)} in a row, {'at once' if number % 2 else 'one by one'}"
        yield Control(name, mode, pieces, tuple(one.expected for one in row))
