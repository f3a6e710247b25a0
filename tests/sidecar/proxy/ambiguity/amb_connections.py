"""Changes to how a connection is used: Connection and Expect, upgrades, prefaces, several requests in a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

from amb_draft import CHUNKED, GET, HOST, POST, SMUGGLED, Case, Draft, Mode, Mutation, made

CONNECTIONS = [
    b"close", b"Close", b"keep-alive", b"Keep-Alive", b"close, keep-alive", b"keep-alive, close", b"Host",
    b"host", b"Content-Length", b"content-length", b"Transfer-Encoding", b"Host, Content-Length",
    b"close, Host", b"Connection", b"X-A", b"x_a", b"X-A, Accept", b"Accept", b"Authorization", b"Cookie",
    b"TE", b"TE, close", b"Upgrade", b"upgrade, keep-alive", b"Upgrade, HTTP2-Settings",
    b"proxy-connection", b"", b" ", b",", b", ,", b"close,", b",close", b"closed", b"xclose", b"clos",
    b'"close"', b"close;q=0", b"close\0", b"\0close", b"close\x0b", b"close\xa0", b"Via",
    b"X-Forwarded-For", b"Expect", b"*", b"Content-Type", b"Content-Length, close", b"transfer_encoding",
    b"Content_Length", b"Trailer", b"Proxy-Authorization", b"close close", b"close:", b"X-A;", b"(close)",
    b"\"", b"X-\xc3\xa4", b"HTTP2-Settings", b"a" * 5000,
]  # fmt: skip
EXPECTS = [
    b"100-continue", b"100-Continue", b"100-CONTINUE", b"100-continue ", b" 100-continue",
    b"\t100-continue", b"100-continue, 100-continue", b"100-continue;q=1", b"100", b"continue", b"200-ok",
    b"", b" ", b"100-continue\0", b"100-continue\x0b", b"x100-continue", b"100-continuex",
    b'"100-continue"', b"100-continue, foo=bar", b"foo=bar", b"100 continue", b"100_continue",
    b"\xa0100-continue", b"101-continue", b"100-continue,", b",100-continue", b"nothing",
    b"100-continue\r\nExpect: 100-continue", b"100-continue\r\nExpect: other", b"1\x3000-continue",
]  # fmt: skip
UPGRADES = [
    b"h2c", b"H2C", b"h2c, websocket", b"websocket", b"WebSocket", b"websocket, h2c", b"TLS/1.0",
    b"HTTP/2.0", b"h2", b"h3", b"foo", b"", b" ", b",", b"websocket/13", b"h2c\0", b"\th2c", b"x-h2c",
    b"IRC/6.9, RTA/x11", b"TLS/1.2, HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"websocket\x0b", b'"h2c"',
    b"h2c;q=1", b"connect-udp", b"connect-ip", b"CONNECT", b"SPDY/3.1", b"h2c\xa0",
]  # fmt: skip
SETTINGS = b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
H2_START = PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def connection_fields() -> Iterator[Mutation]:
    for value in CONNECTIONS:
        for name in (b"Connection: ", b"Proxy-Connection: "):
            line = name + value
            yield Mutation("connection", repr(line[:50]), lambda d, line=line: d.with_line(line))
        yield Mutation(
            "connection",
            f"{value[:40]!r} twice",
            lambda d, v=value: two(d, b"Connection: close", b"Connection: " + v),
            ("get", "post"),
        )
        yield Mutation(
            "connection",
            f"{value[:40]!r} and 1.0",
            lambda d, v=value: replace(d.with_line(b"Connection: " + v), version=b"HTTP/1.0"),
            ("get", "post"),
        )
        keep = b"Keep-Alive: " + value
        yield Mutation("connection", repr(keep[:50]), lambda d, line=keep: d.with_line(line), ("get",))


def two(draft: Draft, first: bytes, second: bytes) -> Draft:
    return draft.with_line(first).with_line(second)


def expectations() -> Iterator[Mutation]:
    for value in EXPECTS:
        line = b"Expect: " + value
        yield Mutation("expect", repr(line), lambda d, line=line: d.with_line(line))
        yield Mutation(
            "expect",
            f"{line!r}, body late",
            lambda d, line=line: replace(d.with_line(line), late=True),
            ("post", "chunked"),
        )
        yield Mutation(
            "expect",
            f"{line!r}, no body",
            lambda d, line=line: replace(d.with_line(line), body=b"", tail=b""),
            ("post",),
        )
        yield Mutation(
            "expect",
            f"{line!r}, 1.0",
            lambda d, line=line: replace(d.with_line(line), version=b"HTTP/1.0"),
            ("post",),
        )


def upgrades() -> Iterator[Mutation]:
    for value in UPGRADES:
        line = b"Upgrade: " + value
        yield Mutation("upgrade", repr(line), lambda d, line=line: d.with_line(line), ("get", "post"))
        yield Mutation(
            "upgrade", f"{line!r} named", lambda d, v=line: two(d, b"Connection: Upgrade", v), ("get", "post")
        )
        yield Mutation(
            "upgrade",
            f"{line!r} with settings",
            lambda d, v=line: two(d, b"Connection: Upgrade, HTTP2-Settings", v).with_line(SETTINGS),
            ("get", "post", "chunked"),
        )
        yield Mutation(
            "upgrade",
            f"{line!r}, then h2",
            lambda d, v=line: replace(two(d, b"Connection: Upgrade", v), tail=H2_START + SMUGGLED),
            ("get",),
        )
        yield Mutation(
            "upgrade",
            f"{line!r} as WebSocket",
            lambda d, v=line: (
                two(d, b"Connection: Upgrade", v)
                .with_line(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
                .with_line(b"Sec-WebSocket-Version: 13")
            ),
            ("get",),
        )


def prefaces() -> Iterator[Case]:
    lines = [
        PREFACE, H2_START, H2_START + SMUGGLED, PREFACE[:-6], b"PRI /ok HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/1.1\r\nHost: amb.example\r\n\r\nSM\r\n\r\n", b"PRI * HTTP/2.0\n\nSM\n\n",
        b"GET /ok\r\n", b"GET /ok\n", b"GET /ok\r\n\r\n", b"GET /ok \r\n\r\n", b"GET\r\n\r\n",
        b"GET http://amb.example/ok\r\n", b"GET http://amb.example/ok\r\n\r\n",
        b"GET /ok\r\nHost: amb.example\r\n\r\n", b"GET /ok HTTP/0.9\r\n\r\n",
        b"POST /ok\r\nContent-Length: 5\r\n\r\nhello", b"GET http://amb.example/ok HTTP/0.9\r\n\r\n",
        b"/ok\r\n\r\n", b"\r\n", b"\r\n\r\n", b"GET", b"GET /ok HTTP/1.1", b"GET /ok HTTP/1.1\r\n",
        b"GET /ok HTTP/1.1\r\nHost: amb.example\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-x\r\n",
        b"EHLO amb.example\r\n", b"\x00" * 16, b"\x80\x2e\x01\x03\x01",
        b"CONNECT amb.example:80 HTTP/1.1\r\nHost: amb.example:80\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    ]  # fmt: skip
    for line, tail, mode in product(lines, (b"", SMUGGLED), (Mode.DIRECT, Mode.TLS)):
        yield Case("preface", repr(line[:50]), mode, (line + tail,))


INNER = b"GET /no/inner HTTP/1.1\r\nHost: amb.example\r\nX: " + b"y" * 20 + b"\r\n\r\n"
STEPS: dict[str, Draft] = {
    "allowed": GET,
    "denied": replace(GET, target=b"/no/d"),
    "length": POST,
    "chunked": CHUNKED,
    "denied length": replace(POST, target=b"/no/l"),
    "denied chunked": replace(CHUNKED, target=b"/no/c"),
    "request as body": replace(POST, body=INNER)
    .without(b"content-length")
    .with_line(b"Content-Length: %d" % len(INNER)),
    "request in a chunk": replace(CHUNKED, body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(INNER), INNER)),
    "short body": POST.without(b"content-length").with_line(b"Content-Length: 9"),
    "long body": POST.without(b"content-length").with_line(b"Content-Length: 2"),
    "undelimited": POST.without(b"content-length"),
    "denied, request as body": replace(POST, target=b"/no/b", body=INNER)
    .without(b"content-length")
    .with_line(b"Content-Length: %d" % len(INNER)),
    "head": replace(GET, method=b"HEAD"),
    "old": replace(GET, version=b"HTTP/1.0"),
    "closing": GET.with_line(b"Connection: close"),
    "other host": replace(GET.with_host(b"Host: evil.example"), target=b"/ok/e"),
    "other route": replace(
        GET.with_host(b"Host: 192.0.2.7"), target=b"http://192.0.2.7/ok/v4", whole_target=True
    ),
    "both framings": CHUNKED.with_line(b"Content-Length: 5"),
    "expects": POST.with_line(b"Expect: 100-continue"),
    "denied, expects": replace(POST, target=b"/no/x").with_line(b"Expect: 100-continue"),
    "empty line first": replace(GET, lead=b"\r\n"),
    "bare LF": replace(GET, eol=b"\n", end=b"\n"),
    "GET with a body": replace(GET, body=b"hello").with_line(b"Content-Length: 5"),
    "bad chunk": replace(CHUNKED, body=b"5\r\nhello\r\n5;x\r\nhello\r\n0\r\n\r\n"),
    "upgrade": GET.with_line(b"Upgrade: h2c"),
    "zero": replace(POST, body=b"").without(b"content-length").with_line(b"Content-Length: 0"),
}


def sequences(seed: int, modes: tuple[Mode, ...]) -> Iterator[Case]:
    """All pairs of steps, then seeded rows of three to five, in one piece or request by request."""
    random = Random(seed)
    rows = [tuple(pair) for pair in product(STEPS, repeat=2)]
    rows += [tuple(random.choices(list(STEPS), k=random.randint(3, 5))) for _ in range(400)]
    for number, row in enumerate(rows):
        mode = modes[number % len(modes)]
        drafts = [replace(STEPS[name], tail=b"") for name in row]
        # the number makes each request of a row another one, so that a mix-up shows
        parts = [b"".join(_numbered(draft, at).pieces(mode)) for at, draft in enumerate(drafts)]
        late = [
            part for draft, at in zip(drafts, range(len(row)), strict=True) for part in _late(draft, at, mode)
        ]
        pieces = (b"".join(parts) + SMUGGLED,) if number % 3 else (*late, SMUGGLED)
        yield Case("sequence", ", ".join(row), mode, pieces)


def _numbered(draft: Draft, at: int) -> Draft:
    return draft.with_line(b"X-Step: %d" % at)


def _late(draft: Draft, at: int, mode: Mode) -> tuple[bytes, ...]:
    return replace(_numbered(draft, at), late=True).pieces(mode)


def splits(modes: tuple[Mode, ...]) -> Iterator[Case]:
    """One request in two pieces at every place, a denied one behind it."""
    for number, base in enumerate((GET, POST, CHUNKED)):
        mode = modes[number % len(modes)]
        whole = b"".join(base.pieces(mode))
        for cut in range(1, len(whole) - len(SMUGGLED) + 1, 2):
            target = b"/ok/s%d-%d" % (number, cut)
            case = made("split", f"{number} at {cut}", replace(base, target=target), mode)
            yield replace(case, pieces=(case.sent[:cut], case.sent[cut:]))


__all__ = ["HOST"]
