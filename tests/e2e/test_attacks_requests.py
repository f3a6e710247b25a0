"""What is asked: framing, pipelining, paths, methods, header rules (threats D1 to D5, D7).

The rows of D1 to D4 are played in a tunnel, in absolute form and carried from 443 and 80: the same request
meets the same rules (D5), and nothing of it reaches the upstream in any form but the one that was judged.
"""

from __future__ import annotations

from collections.abc import Iterator

import attacks_ground
import pytest
from attacks_support import (
    API,
    NAMES,
    OPEN,
    RULES,
    Row,
    absolute,
    carried,
    connect_line,
    everyway,
    get,
    play,
    tunnelled,
)

pytestmark = pytest.mark.slow

HOST = b"Host: {h}\r\n"
CLOSE = b"Connection: close\r\n"
SECOND = b"GET {p}/{m} HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n"
"""A request that a careless server sees behind another one."""

# -- D1

_LENGTH = b"%d" % (len(SECOND) + 40)


def _post(fields: bytes, body: bytes = b"", mark: bytes = b"{m}-first") -> bytes:
    return b"POST {p}/" + mark + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


_CHUNKED = b"Transfer-Encoding: chunked\r\n"

_SMUGGLED = {
    "CL and TE": _post(b"Content-Length: 4\r\n" + _CHUNKED, b"0\r\n\r\n"),
    "TE and CL": _post(_CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n"),
    "CL twice, equal": _post(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "CL twice, different": _post(b"Content-Length: 0\r\nContent-Length: " + _LENGTH + b"\r\n"),
    "CL as a list": _post(b"Content-Length: 0, 0\r\n"),
    "CL negative": _post(b"Content-Length: -1\r\n"),
    "CL with a plus": _post(b"Content-Length: +0\r\n"),
    "CL with a zero": _post(b"Content-Length: 00\r\n"),
    "CL hexadecimal": _post(b"Content-Length: 0x0\r\n"),
    "CL empty": _post(b"Content-Length: \r\n"),
    "CL huge": _post(b"Content-Length: 99999999999999999999\r\n"),
    "CL with a space inside": _post(b"Content-Length: 0 0\r\n"),
    "CL with an underscore": _post(b"Content_Length: " + _LENGTH + b"\r\n"),
    "CL, space before the colon": _post(b"Content-Length : 0\r\n"),
    "CL in another alphabet's digits": _post("Content-Length: \u0660\r\n".encode()),
    "TE twice": _post(_CHUNKED + _CHUNKED, b"0\r\n\r\n"),
    "TE twice, the second identity": _post(_CHUNKED + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "TE with a tab": _post(b"Transfer-Encoding: \tchunked\r\n", b"0\r\n\r\n"),
    "TE with VT": _post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "TE misspelt": _post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "TE quoted": _post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"),
    "TE as a list": _post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "TE identity": _post(b"Transfer-Encoding: identity\r\n"),
    "TE with a parameter": _post(b"Transfer-Encoding: chunked;a=b\r\n", b"0\r\n\r\n"),
    "TE with an underscore": _post(b"Transfer_Encoding: chunked\r\n"),
    "TE, space before the colon": _post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "TE folded": _post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    "TE folded with a tab": _post(b"Transfer-Encoding:\r\n\tchunked\r\n", b"0\r\n\r\n"),
    "TE behind a bare LF": _post(b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "TE behind a bare CR": _post(b"X: y\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "TE behind NUL": _post(b"X: y\0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "a head of bare LF": b"POST {p}/{m} HTTP/1.1\nHost: {h}\nContent-Length: 0\n\n",
    "an end of bare LF": b"POST {p}/{m} HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0\r\n\n",
    "an empty line first": b"\r\n" + _post(b"Content-Length: 0\r\n"),
    "a header without a colon": _post(b"X-Broken\r\nContent-Length: 0\r\n"),
    "a header without a name": _post(b": x\r\nContent-Length: 0\r\n"),
    "the first header folded": b"POST {p}/{m} HTTP/1.1\r\n Content-Length: 0\r\n" + HOST + b"\r\n",
    "HTTP/1.0 with TE": b"POST {p}/{m} HTTP/1.0\r\n" + HOST + _CHUNKED + b"\r\n0\r\n\r\n",
    "HTTP/0.9": b"GET {p}/{m}\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET {p}/{m} HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/2.0": b"GET {p}/{m} HTTP/2.0\r\n" + HOST + b"\r\n",
    "two spaces": b"GET  {p}/{m} HTTP/1.1\r\n" + HOST + b"\r\n",
    "a space in the target": b"GET {p}/{m} x HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tab in the line": b"GET\t{p}/{m}\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{m}",
}
"""None of it is repaired: the head is refused, the connection ends, what is behind it is never read."""

_CHUNKS = {
    "a size with a plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-1\r\nhello\r\n0\r\n\r\n",
    "a huge size": b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "a size that wraps": b"100000000000000005\r\nhello\r\n0\r\n\r\n",
    "an extension": b"5;a=b\r\nhello\r\n0\r\n\r\n",
    "an extension with LF": b"5;\nxx\r\nhello\r\n0\r\n\r\n",
    "a space behind the size": b"5 \r\nhello\r\n0\r\n\r\n",
    "an empty size": b"\r\nhello\r\n0\r\n\r\n",
    "LF alone behind the size": b"5\nhello\r\n0\r\n\r\n",
    "LF alone behind the data": b"5\r\nhello\n0\r\n\r\n",
    "more data than said": b"5\r\nhelloXX\r\n0\r\n\r\n",
    "a trailer without a colon": b"5\r\nhello\r\n0\r\nbroken\r\n\r\n",
}

_TRAILERS = {
    "of the framing": b"Content-Length: 99{m}",
    "a credential": b"Authorization: Bearer {m}",
    "Host": b"Host: {m}.evil.example.net",
    "an override": b"X-HTTP-Method-Override: {m}",
}
"""Read, and never sent on."""


def _framing() -> Iterator[Row]:
    for name, first in _SMUGGLED.items():
        closed = name == "an empty line first"  # carried from 80 it is no HTTP
        yield from everyway(f"D1 {name}", OPEN, first + SECOND, wants=(403,), or_closed=closed)
    for name, body in _CHUNKS.items():
        yield from everyway(f"D1 {name}", OPEN, _post(_CHUNKED, body) + SECOND, wants=(403,))
    allowed = SECOND.replace(b"{m}", b"{ok}")
    for name, field in _TRAILERS.items():
        body = b"5\r\nhello\r\n0\r\n" + field + b"\r\n\r\n"
        first = _post(_CHUNKED, body, mark=b"{ok}")
        yield from everyway(f"D1 a trailer: {name}", OPEN, first + allowed, wants=(200, 200))


# -- D2

_PUBLIC = b"GET {p}/public/{ok} HTTP/1.1\r\nHost: {h}\r\n\r\n"
_LAST = b"GET {p}/public/{ok} HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n"
_CLOSED = b"GET {p}/closed/{m} HTTP/1.1\r\nHost: {h}\r\n\r\n"
_INNER = b"GET /public/{m} HTTP/1.1\r\nHost: rules.example.com\r\n\r\n"
_INNER_SIZE = len(_INNER.replace(b"{m}", b"no0000x"))


def _denied_with(fields: bytes, body: bytes = _INNER) -> bytes:
    return b"POST {p}/closed/{m} HTTP/1.1\r\nHost: {h}\r\n" + fields + b"\r\n" + body


def _pipelined() -> Iterator[Row]:
    sized = b"Content-Length: %d\r\n" % _INNER_SIZE
    chunked = b"%x\r\n" % _INNER_SIZE + _INNER + b"\r\n0\r\n\r\n"
    rows = {
        "allowed, denied, allowed": (_PUBLIC + _CLOSED + _LAST, (200, 403, 200)),
        "denied first": (_CLOSED + _CLOSED + _LAST, (403, 403, 200)),
        "a body behind a denied one": (_denied_with(sized) + _LAST, (403, 200)),
        "chunks behind a denied one": (_denied_with(_CHUNKED, chunked) + _LAST, (403, 200)),
        "a body that was not waited for": (_PUBLIC + _denied_with(sized + b"Expect: 100-continue\r\n"), (200, 403)),
        "a body behind an upgrade": (_PUBLIC + _denied_with(sized + b"Upgrade: h2c\r\n"), (200, 403)),
        "more than the length says": (
            b"POST {p}/public/{ok} HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\n\r\nhello" + _CLOSED + _LAST,
            (200, 403, 200),
        ),
        "no length, a body": (
            b"POST {p}/public/{ok} HTTP/1.1\r\nHost: {h}\r\n\r\n" + _CLOSED + _LAST, (200, 403, 200)
        ),
        "Host changes": (_PUBLIC + get("evil.example.net", "{p}/public/{m}"), (200, 403)),
        "malformed second": (_PUBLIC + b"GET {p}/public/{m} HTTP/1.1\r\nHost : {h}\r\n\r\n" + _INNER, (200, 403)),
        "continue": (
            b"POST {p}/public/{ok} HTTP/1.1\r\nHost: {h}\r\nExpect: 100-continue\r\nConnection: close\r\n"
            b"Content-Length: 5\r\n\r\nhello",
            (100, 200),
        ),
        "close in the first": (_LAST + _CLOSED + _PUBLIC.replace(b"{ok}", b"{m}"), (200,)),
    }  # fmt: skip
    for name, (data, wants) in rows.items():
        yield from everyway(f"D2 {name}", RULES, data, wants=wants)
    evil = get("evil.example.net", "http://evil.example.net/{m}")
    line = connect_line(f"{OPEN}:443")
    yield Row("D2 early bytes behind a CONNECT", (), line + evil, path="explicit")
    yield Row("D2 CONNECT with a length", (evil,), line[:-2] + b"Content-Length: 5\r\n\r\n", connected=403,
              path="explicit")  # fmt: skip
    yield Row(
        "D2 CONNECT with chunks", (evil,), line[:-2] + _CHUNKED + b"\r\n", connected=403, path="explicit"
    )
    for order, wants in (((OPEN, "evil.example.net"), (200, 403)), (("evil.example.net", OPEN), (403, 200))):
        data = b"".join(
            b"GET http://%b/%b HTTP/1.1\r\nHost: %b\r\n%b\r\n"
            % (
                host.encode(),
                b"{ok}" if host == OPEN else b"{m}",
                host.encode(),
                CLOSE if host == order[1] else b"",
            )
            for host in order
        )
        yield absolute(f"D2 to the proxy: {order}", data, wants=wants)


# -- D3

_PATHS_REFUSED = (
    "/public/../closed/{m}", "/public/%2e%2e/closed/{m}", "/public/.%2e/closed/{m}", "/public/%2E%2E/closed/{m}",
    "/public/..%2fclosed/{m}", "/public/%2e%2e%2fclosed/{m}", "/public%2f..%2fclosed/{m}", "/public/..%5cclosed/{m}",
    "/public\\..\\closed/{m}", "/public/..\\closed/{m}", "/public/..;/closed/{m}", "/public/..;a=b/closed/{m}",
    "/public/.;/{m}", "/public/%2e%2e;/closed/{m}", "/public/..%3b/closed/{m}", "/public;/../closed/{m}",
    "/publicx/{m}", "/public%20/{m}", "/public%0d%0a/{m}", "/public%09/{m}", "/PUBLIC/{m}", "/%50ublic/{m}",
    "/closed/{m}", "//closed/{m}", "/./closed/{m}", "/public/./../closed/{m}", "/public/x/../../closed/{m}",
    "/public/%00/{m}", "/public%00/{m}", "/public/{m}%00.html", "/public/{m}%",
    "/public/{m}%zz", "/public/{m}%2", "/public/%c0%ae%c0%ae/closed/{m}", "/public/%c0%af/{m}", "/public/%e0%80%ae/{m}",
    "/public/%u002e%u002e/{m}", "/public/%ff/{m}", "/public/{m}#/../closed", "/closed/{m}#/public",
    "/closed/{m}?/public", "/closed/{m};/public", "/closed/{m}/%2e%2e%2fpublic",
    "/public/{m}\u00e9", "/public/{m}\u007f", "/public/{m}\"x",
    "/public/{m}<x>", "/public/{m}{{x}}", "/public/../../public/../closed/{m}", "/public/{m}?x#y", "/public/{m}?x\\y",
    "/public/{m}?x%", "/public/{m}?%0", "public/{m}", "*{m}", "?/public/{m}",
)  # fmt: skip

_PATHS_TAKEN = {
    "/public/./{ok}": "/public/{ok}",
    "/public//{ok}": "/public/{ok}",
    "//public/{ok}": "/public/{ok}",
    "/%70ublic/{ok}": "/public/{ok}",
    "/%70%75%62%6c%69%63/{ok}": "/public/{ok}",
    "/closed/../public/{ok}": "/public/{ok}",
    "/closed/%2e%2e/public/{ok}": "/public/{ok}",
    "/../public/{ok}": "/public/{ok}",
    "/public/%7e{ok}": "/public/~{ok}",
    "/public/{ok}%3a%3F": "/public/{ok}%3A%3F",
    "/public/%e2%82%ac{ok}": "/public/%E2%82%AC{ok}",
    "/public/[{ok}]": "/public/%5B{ok}%5D",
    "/public/%252e%252e/closed/{ok}": "/public/%252e%252e/closed/{ok}",
    "/public/{ok}?a=%2e%2e/&b=//c?d": "/public/{ok}?a=%2e%2e/&b=//c?d",
    "/public/{ok}?": "/public/{ok}?",
    "/public/{ok}/..": "/public/",
    "/public//../closed/{ok}": "/public/closed/{ok}",
    "/public/..a/{ok}": "/public/..a/{ok}",
}
"""What is sent, and what the upstream gets."""


def _paths() -> Iterator[Row]:
    for path in _PATHS_REFUSED:
        target = path.replace("{{", "{").replace("}}", "}").encode("latin-1")
        joined = b"{p}" + target
        request = b"GET %b HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n" % joined
        yield from everyway(f"D3 {path!a}", RULES, request, wants=(403,))
    for path, form in _PATHS_TAKEN.items():
        exact = b"GET %b HTTP/1.1\r\nHost: rules.example.com\r\n" % form.encode()
        request = (
            b"GET {p}%b HTTP/1.1\r\nHost: {h}\r\nX-Mark: {ok}\r\nConnection: close\r\n\r\n" % path.encode()
        )
        yield from everyway(f"D3 {path}", RULES, request, wants=(200,), arrives=exact)


# -- D4, D5

_METHODS_REFUSED = (
    "get", "Get", "gET", "post", "GETX", "GET.", "G\xc9T", "TRACE", "TRACK", "PROPFIND", "PROPPATCH", "MKCOL",
    "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "PURGE", "DEBUG", "M-SEARCH", "PRI", "QUERY", "BREW", "LINK",
)  # fmt: skip
_OVERRIDES = (
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_Method_Override", "X-HTTP_METHOD-Override",
    "x-http-method-override", "X-Original-Method", "X-Original-URL", "X-Original-URI", "X-Original-Host",
    "X-Rewrite-URL", "X-Override-URL", "X-HTTP-Host-Override", "X-HTTP-Path-Override", "X-Host", "X-Forwarded-Host",
    "X-Forwarded-Method", "X_Forwarded_Host", "X-Forwarded-Uri", "X-Forwarded-For", "Forwarded", "Via",
)  # fmt: skip
_QUERIES = ("_method=DELETE", "_METHOD=DELETE", "%5fmethod=DELETE", "a=b&_method=PUT", "a=b;_method=PUT",
            "x-http-method-override=DELETE", "_method[]=DELETE", "_method%00=DELETE")  # fmt: skip
_UPGRADES = {
    "h2c": (
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        403,
    ),
    "h2c, not announced": (b"Upgrade: h2c\r\n", 403),
    "TLS": (b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n", 403),
    "WebSocket of a draft": (
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 8\r\n",
        403,
    ),
    "WebSocket without a key": (
        b"Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n",
        403,
    ),
    "WebSocket and h2c": (b"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", 403),
    "two fields": (b"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", 403),
}


def _methods() -> Iterator[Row]:
    for method in _METHODS_REFUSED:
        line = method.encode("latin-1") + b" {p}/{m} HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n"
        yield from everyway(f"D4 {method}", OPEN, line, wants=(403,), or_closed=not "A" <= method[0] <= "Z")
    for method in ("DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"):
        line = method.encode() + b" {p}/public/{m} HTTP/1.1\r\nHost: {h}\r\nConnection: close\r\n\r\n"
        yield from everyway(f"D4 not of the rule: {method}", RULES, line, wants=(403,))
    for host in (RULES, OPEN):
        for name in _OVERRIDES:
            field = name.encode() + b": /{m}\r\n"
            line = (
                b"POST {p}/public/{ok} HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0\r\n"
                + field
                + CLOSE
                + b"\r\n"
            )
            yield from everyway(f"D4 {name} on {host}", host, line, wants=(200,))
    for query in _QUERIES:
        line = (
            b"POST {p}/public/{m}?%b HTTP/1.1\r\nHost: {h}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        yield from everyway(f"D4 ?{query}", RULES, line % query.encode(), wants=(403,))
    for name, (fields, status) in _UPGRADES.items():
        line = b"GET {p}/{m} HTTP/1.1\r\nHost: {h}\r\n" + fields + b"\r\n"
        yield from everyway(f"D4 upgrade: {name}", OPEN, line, wants=(status,))


def _over_http() -> Iterator[Row]:
    """D5: where a credential stands, plain HTTP is refused on each way that it can come."""
    yield absolute("D5 to the proxy", get(API, f"http://{API}/{{m}}"), wants=(403,))
    yield Row("D5 carried from 80", (get(API),), dial=(API, 80), wants=(403,), path="transparent")
    yield Row(
        "D5 carried from 80, no look-up",
        (get(API),),
        dial=("127.0.0.1", 80),
        wants=(403,),
        path="transparent",
    )
    yield Row("D5 in a tunnel to 80", (get(API),), connect_line(f"{API}:80"), wants=(403,), path="explicit")
    yield tunnelled("D5 over TLS", API, API, get(API, "/{ok}"), wants=(200,))
    yield carried("D5 over TLS, carried", API, API, get(API, "/{ok}"), wants=(200,))


# -- D7

_ENV_REFUSED = {
    "none": b"",
    "twice the same": b"X-Env: prod\r\nX-Env: prod\r\n",
    "another behind": b"X-Env: prod\r\nX-Env: dev\r\n",
    "another in front": b"X-Env: dev\r\nx-env: prod\r\n",
    "joined": b"X-Env: prod, dev\r\n",
    "joined with itself": b"X-Env: prod,prod\r\n",
    "in capitals": b"X-Env: PROD\r\n",
    "quoted": b'X-Env: "prod"\r\n',
    "with more": b"X-Env: production\r\n",
    "with a parameter": b"X-Env: prod;x=y\r\n",
    "folded": b"X-Env:\r\n prod\r\n",
    "folded behind": b"X-Env: prod\r\n dev\r\n",
    "a tab behind": b"X-Env: prod\t\r\n",
    "NUL behind": b"X-Env: prod\0\r\n",
    "a space before the colon": b"X-Env : prod\r\n",
    "an underscore": b"X_Env: prod\r\n",
    "an underscore beside": b"X-Env: prod\r\nX_Env: dev\r\n",
    "for this hop": b"X-Env: prod\r\nConnection: x-env\r\n",
    "empty": b"X-Env:\r\n",
}
_ENV_TAKEN = {
    "as it is": b"X-Env: prod\r\n",
    "in lower case": b"x-env: prod\r\n",
    "spaces": b"X-ENV:   prod  \r\n",
}


def _header_rules() -> Iterator[Row]:
    for table, mark, status in ((_ENV_REFUSED, b"{m}", 403), (_ENV_TAKEN, b"{ok}", 200)):
        for name, fields in table.items():
            line = b"GET {p}/keyed/" + mark + b" HTTP/1.1\r\nHost: {h}\r\n" + fields + CLOSE + b"\r\n"
            yield from everyway(f"D7 {name}", RULES, line, wants=(status,))


def test_framing_and_order(person):
    """D1, D2: one reading or none; what is behind a refused request is never one by itself."""
    with attacks_ground.internet(person, names=NAMES) as world:
        play(person, world, [*_framing(), *_pipelined()])


def test_paths(person):
    """D3: one form is judged, and that one is sent."""
    with attacks_ground.internet(person, names=NAMES) as world:
        play(person, world, _paths())


def test_methods_and_headers(person):
    """D4, D5, D7: nothing makes the upstream act on another method, path or header than was judged."""
    with attacks_ground.internet(person, names=NAMES) as world:
        play(person, world, [*_methods(), *_over_http(), *_header_rules()])
