"""Changes to a head's bytes: control characters, line ends, folding, field names, methods, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from amb_draft import Draft, Mutation

CONTROLS = [bytes([n]) for n in (*range(0x21), 0x7F, 0x80, 0x85, 0xA0, 0xAD, 0xFF)] + [
    b"\xc2\xa0", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xe5\x98\x8a", b"\xc4\x8a", b"\xe2\x80\x8b",
]  # fmt: skip
"""``\\xe5\\x98\\x8a`` and ``\\xc4\\x8a`` end in a line feed where a server keeps the low octet alone."""


def _field(line: bytes) -> Callable[[Draft], Draft]:
    return lambda draft: draft.with_line(line)


POSITIONS: dict[str, Callable[[Draft, bytes], Draft]] = {
    "at the start": lambda d, c: replace(d, lead=c),
    "in the method": lambda d, c: replace(d, method=d.method[:1] + c + d.method[1:]),
    "behind the method": lambda d, c: replace(d, method=d.method + c),
    "instead of the first space": lambda d, c: replace(d, gap1=c),
    "behind the first space": lambda d, c: replace(d, gap1=b" " + c),
    "in the path": lambda d, c: replace(d, target=d.target.replace(b"/p", b"/" + c + b"p")),
    "in the query": lambda d, c: replace(d, target=d.target + c + b"2"),
    "behind the target": lambda d, c: replace(d, target=d.target + c),
    "instead of the second space": lambda d, c: replace(d, gap2=c),
    "in the version": lambda d, c: replace(d, version=b"HTTP/" + c + b"1.1"),
    "behind the version": lambda d, c: replace(d, version=d.version + c),
    "before a name": lambda d, c: d.with_line(c + b"X-B: c"),
    "in a name": lambda d, c: d.with_line(b"X-" + c + b"B: c"),
    "before the colon": lambda d, c: d.with_line(b"X-B" + c + b": c"),
    "behind the colon": lambda d, c: d.with_line(b"X-B:" + c + b"c"),
    "in a value": lambda d, c: d.with_line(b"X-B: c" + c + b"d"),
    "behind a value": lambda d, c: d.with_line(b"X-B: c" + c),
    "instead of a value": lambda d, c: d.with_line(b"X-B: " + c),
    "in Host": lambda d, c: d.with_host(b"Host: amb" + c + b".example"),
    "behind Host": lambda d, c: d.with_host(b"Host: amb.example" + c),
    "before Host": lambda d, c: d.with_host(b"Host:" + c + b"amb.example"),
    "a line of its own": lambda d, c: d.with_line(c),
    "before the empty line": lambda d, c: replace(d, end=c + b"\r\n"),
    "in the empty line": lambda d, c: replace(d, end=b"\r" + c + b"\n"),
    "behind the head": lambda d, c: replace(d, end=b"\r\n" + c),
}


def controls() -> Iterator[Mutation]:
    for char in CONTROLS:
        for where, put in POSITIONS.items():
            yield Mutation(
                "control", f"{char!r} {where}", lambda d, put=put, char=char: put(d, char), ("get",)
            )


LINE_ENDS = [
    b"\n", b"\r", b"\r\r\n", b"\n\r", b"\n\n", b"\r\n\r\n", b"", b" \r\n", b"\t\r\n", b"\0\r\n",
    b"\x0b\r\n", b"\r \n", b"\r\0\n", b"\x0b", b"\x0c", b"\x85", b"\xe2\x80\xa8", b"\r\n\n", b"\\r\\n",
    b"%0d%0a", b"\r\nX: y\n", b"\n ", b"\r ", b"\r\n\r", b"\x00", b"\x1c", b"\x1e",
]  # fmt: skip
LEADS = [
    b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n", b"\n", b"\n\n", b"\r", b" ", b"  ", b"\t", b"\0",
    b"\xef\xbb\xbf", b"\x0b", b"\r\n ", b" \r\n", b"X\r\n", b"0\r\n\r\n", b"\x16", b"\x16\x03\x01", b"\x80",
    b"HTTP/1.1 200 OK\r\n\r\n", b"-", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    b"\r\n\r\n\r\n\r\n\r\n\r\n", b"\r\r\n", b"\n\r\n", b"\x04\x01\x00P\x7f\x00\x00\x01\x00",
    b"\x05\x01\x00",
]  # fmt: skip


def line_ends() -> Iterator[Mutation]:
    for end in LINE_ENDS:
        for line in range(4):
            yield Mutation(
                "line end", f"{end!r} behind line {line}", lambda d, e=end, n=line: replace(d, eols=((n, e),))
            )
        yield Mutation("line end", f"{end!r} everywhere", lambda d, e=end: replace(d, eol=e, end=e))
        yield Mutation("line end", f"{end!r} behind every line", lambda d, e=end: replace(d, eol=e))
        yield Mutation("line end", f"{end!r} for the empty line", lambda d, e=end: replace(d, end=e))
    for lead in LEADS:
        yield Mutation("line end", f"{lead!r} in front", lambda d, lead=lead: replace(d, lead=lead))


FOLDS = [b"\r\n ", b"\r\n\t", b"\r\n  \t ", b"\n ", b"\r ", b"\r\n\x0b", b"\r\n \r\n ", b"\r\n\xa0"]
FOLDED = [
    b"X-B: a%sb", b"X-B:%sb", b"X-B: a%sHost: evil.example", b"X-B: a%sTransfer-Encoding: chunked",
    b"X-B: a%sContent-Length: 0", b"X-B%s: a", b"X-B: a%s", b"Connection: a%sclose",
    b"X-B: a%sGET /no/smuggled HTTP/1.1",
]  # fmt: skip


def folds() -> Iterator[Mutation]:
    for fold in FOLDS:
        for line in FOLDED:
            yield Mutation("fold", f"{line!r} {fold!r}", _field(line.replace(b"%s", fold)), ("get", "post"))
        yield Mutation(
            "fold", f"first line {fold!r}", lambda d, f=fold: replace(d, version=b"HTTP/1.1" + f + b"X: y")
        )
        yield Mutation(
            "fold", f"before Host {fold!r}", lambda d, f=fold: d.with_host(f[2:] + b"Host: amb.example")
        )
        yield Mutation(
            "fold", f"in Host {fold!r}", lambda d, f=fold: d.with_host(b"Host:" + f + b"amb.example")
        )
        yield Mutation(
            "fold", f"behind Host {fold!r}", lambda d, f=fold: d.with_host(b"Host: amb.example" + f)
        )


FIELDS = [
    b"X-B", b"X-B ", b": c", b":", b"::", b":X-B: c", b" : c", b"X-B : c", b"X-B\t: c", b"X-B  : c",
    b" X-B: c", b"X B: c", b"X-B:: c", b"X-B:c:d", b"X-B: ", b"X-B:", b"X-B:\t", b"X-B:  c  ", b"X-B:\tc\t",
    b'"X-B": c', b"(X-B): c", b"X@B: c", b"X/B: c", b"X,B: c", b"X;B: c", b"X=B: c", b"X?B: c", b"X[B]: c",
    b"X{B}: c", b"X\\B: c", b"<X-B>: c", b"X!#$%&'*+-.^_`|~: c", b"X_B: c", b"_: c", b"-: c", b".: c",
    b"X.B: c", b"\xd0\xa5-B: c", b"X-B\xff: c", b"X-\xc3\xa4: c", b"X-B: \xff\xfe", b"X-B: \xc3\xa4",
    b"X-B: a;b=c,d=\"e\\\"f\"", b"X-B: \"unbalanced", b"X-B: (unbalanced", b"GET /no/smuggled HTTP/1.1",
    b"HTTP/1.1 200 OK", b"X-B: c\r\nX-B: d", b"x-a: d", b"X-A: e", b"X-" + b"B" * 300 + b": c",
    b"X-B: " + b"c" * 9000, b"X-B: " + b"c" * 66000, b"Cookie: a=b; c=d", b"Cookie: a=b\r\nCookie: c=d",
    b"Via: 1.1 a", b"Forwarded: host=evil.example", b"X-Forwarded-Host: evil.example",
    b"X_Forwarded_Host: evil.example", b"X-Original-URL: /no/smuggled", b"X-Rewrite-URL: /no/smuggled",
    b"X-Rewrite_URL: /no/smuggled", b"X-HTTP-Method-Override: DELETE", b"X_HTTP_METHOD: DELETE",
    b"X-Host: evil.example", b"Max-Forwards: 0", b"Content-Type: application/json", b"Content-MD5: x",
    b"Range: bytes=0-1", b"Range: bytes=0-1,2-3", b"If-None-Match: \"a\"",
    b"Date: Thu, 01 Jan 1970 00:00:00 GMT", b"Content-Encoding: chunked",
    b"Proxy-Authorization: Basic eA==", b"Proxy: evil.example", b"Status: 200", b"HTTP_HOST: evil.example",
    b":method: GET", b":authority: evil.example", b":path: /no/smuggled", b"Accept: a\r\nAccept: b",
    b"Content-Disposition: x\r\nContent-Length : 3",
]  # fmt: skip


def fields() -> Iterator[Mutation]:
    for line in FIELDS:
        yield Mutation("field", repr(line[:60]), _field(line), ("get", "post", "chunked"))
        yield Mutation(
            "field", f"{line[:60]!r} first", lambda d, line=line: d.with_line(line, at=0), ("get", "post")
        )
    for count in (95, 97, 98, 99, 100, 200, 1000):
        many = tuple(b"X-%d: a" % n for n in range(count))
        yield Mutation(
            "field", f"{count} of them", lambda d, many=many: replace(d, lines=(*d.lines, *many)), ("get",)
        )


METHODS = [
    b"get", b"Get", b"gET", b"GET ", b" GET", b"G ET", b"", b"GE", b"GETT", b"HEAD", b"head", b"POST",
    b"post", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"TRACK", b"DEBUG", b"CONNECT", b"PROPFIND",
    b"MKCOL", b"COPY", b"MOVE", b"LOCK", b"SEARCH", b"REPORT", b"PURGE", b"BAN", b"PRI", b"SPLICE",
    b"INVALID", b"QUERY", b"LINK", b"SUBSCRIBE", b"M-SEARCH", b"NOTIFY", b"SOURCE", b"DESCRIBE", b"SETUP",
    b"ICY", b"GET\0", b"G\0ET", b"GET\t", b"GET:", b"GET/", b"GET;", b'"GET"', b"(GET)", b"GET,POST",
    b"GET_", b"GET-", b"GET.", b"GET!", b"GET|POST", b"GET%20", b"\xc7GET", b"G\xc3\x89T",
    b"\xef\xbb\xbfGET", b"GET\xa0", b"HTTP/1.1", b"0", b"5", b"-1", b"$GET", b"X" * 300, b"GET\r\nX:",
    b"GET\n", b"HEAD /ok/p HTTP/1.1\r\nHost: amb.example\r\n\r\nGET", b"GeT", b"POST\x0b", b"UNLOCK",
]  # fmt: skip
VERSIONS = [
    b"HTTP/1.0", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/0.9", b"HTTP/2", b"HTTP/2.0", b"HTTP/3", b"HTTP/3.0",
    b"http/1.1", b"Http/1.1", b"hTTP/1.1", b"HTTP/1,1", b"HTTP/11", b"HTTP/1.", b"HTTP/.1", b"HTTP/1",
    b"HTTP/", b"HTTP", b"", b"HTTP/1.10", b"HTTP/1.01", b"HTTP/01.1", b"HTTP/1.1 ", b" HTTP/1.1",
    b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1 .1", b"HTTP/1. 1", b"HTTP\\1.1", b"HTTP//1.1", b"HTTP/1.1/",
    b"HTTP/1.1x", b"xHTTP/1.1", b"HTTPS/1.1", b"HTTQ/1.1", b"ICAP/1.0", b"RTSP/1.0", b"SIP/2.0",
    b"HTTP/-1.1", b"HTTP/+1.1", b"HTTP/1.+1", b"HTTP/1.-1", b"HTTP/0x1.1", b"HTTP/1.1.1",
    b"HTTP/1.1, HTTP/1.0", b"HTTP/1.1 HTTP/1.0", b"HTTP/1.0 HTTP/1.1", b"HTTP/\xef\xbc\x91.1",
    b"HTTP/1\xe3\x80\x821", b"HTTP/1.1\0", b"\0HTTP/1.1", b"HTTP/1.1;", b"(HTTP/1.1)", b'"HTTP/1.1"',
    b"HTTP/65537.1", b"HTTP/4294967297.1", b"HTTP/1.4294967297", b"HTTP/1.1#", b"HTTP/1.1\xa0", b"UNKNOWN",
    b"x HTTP/1.1", b"/no HTTP/1.1",
]  # fmt: skip


def first_lines() -> Iterator[Mutation]:
    for method in METHODS:
        yield Mutation("method", repr(method[:40]), lambda d, m=method: replace(d, method=m))
    for version in VERSIONS:
        yield Mutation("version", repr(version), lambda d, v=version: replace(d, version=v))
    for words in (b"  ", b"   ", b"\t ", b" \t", b"\x0b", b"\xc2\xa0", b"\r\n ", b"+", b"%20"):
        yield Mutation("version", f"gap 1 {words!r}", lambda d, w=words: replace(d, gap1=w))
        yield Mutation("version", f"gap 2 {words!r}", lambda d, w=words: replace(d, gap2=w))
