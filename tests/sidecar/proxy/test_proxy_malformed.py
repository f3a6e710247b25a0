"""Whatever two parsers could read in two ways reaches no upstream: judged by the upstream's own bytes.

Every row is sent in a tunnel to an allowed host, followed by a request that would be a smuggled one.
"""

from __future__ import annotations

import time

import pytest

from bot_bottle.testing.upstream import FakeUpstream

HOST = b"plain.example.com"
POLICY = "log: 1\nroutes:\n  - host: plain.example.com\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: plain.example.com\r\n\r\n"


def head(*lines: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: plain.example.com") -> bytes:
    return b"\r\n".join([line, *([host] if host else []), *lines]) + b"\r\n\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return head(*lines, line=b"POST /p HTTP/1.1") + body


BAD_REQUEST_LINES = {
    "no version": b"GET /",
    "HTTP/0.9": b"GET / HTTP/0.9",
    "HTTP/1.2": b"GET / HTTP/1.2",
    "HTTP/2.0": b"GET / HTTP/2.0",
    "HTTP/3": b"GET / HTTP/3",
    "lower-case version": b"GET / http/1.1",
    "version with a long minor": b"GET / HTTP/1.10",
    "version with a plus": b"GET / HTTP/1.+1",
    "version without a slash": b"GET / HTTP1.1",
    "other protocol": b"GET / ICAP/1.0",
    "trailing space": b"GET / HTTP/1.1 ",
    "leading space": b" GET / HTTP/1.1",
    "two spaces before the target": b"GET  / HTTP/1.1",
    "two spaces before the version": b"GET /  HTTP/1.1",
    "tab between": b"GET\t/ HTTP/1.1",
    "tab before the version": b"GET /\tHTTP/1.1",
    "vertical tab": b"GET /\x0b HTTP/1.1",
    "form feed between": b"GET\x0c/ HTTP/1.1",
    "four words": b"GET / x HTTP/1.1",
    "target with a space": b"GET /a b HTTP/1.1",
    "NUL in the target": b"GET /a\0b HTTP/1.1",
    "NUL in the method": b"G\0T / HTTP/1.1",
    "bare CR in the target": b"GET /a\rb HTTP/1.1",
    "DEL in the target": b"GET /a\x7fb HTTP/1.1",
    "high byte in the target": b"GET /\xe4 HTTP/1.1",
    "escape in the target": b"GET /\x1b[2J HTTP/1.1",
    "empty": b"",
    "only spaces": b"   ",
    "brace in the method": b"G{T / HTTP/1.1",
    "colon in the method": b"GET: / HTTP/1.1",
    "lower-case method": b"get / HTTP/1.1",
    "unknown method": b"SPLICE / HTTP/1.1",
    "TRACE": b"TRACE / HTTP/1.1",
    "TRACK": b"TRACK / HTTP/1.1",
    "WebDAV": b"PROPFIND / HTTP/1.1",
    "HTTP/2 preface": b"PRI * HTTP/2.0",
    "asterisk": b"OPTIONS * HTTP/1.1",
    "authority-form": b"GET plain.example.com:80 HTTP/1.1",
    "nested CONNECT": b"CONNECT plain.example.com:80 HTTP/1.1",
    "nested CONNECT elsewhere": b"CONNECT evil.example:443 HTTP/1.1",
    "no leading slash": b"GET a HTTP/1.1",
    "fragment": b"GET /a#b HTTP/1.1",
    "backslash": b"GET /a\\b HTTP/1.1",
    "encoded slash": b"GET /a%2fb HTTP/1.1",
    "encoded backslash": b"GET /a%5cb HTTP/1.1",
    "encoded NUL": b"GET /a%00b HTTP/1.1",
    "cut percent": b"GET /a% HTTP/1.1",
    "cut percent 2": b"GET /a%4 HTTP/1.1",
    "not hexadecimal": b"GET /a%zz HTTP/1.1",
    "https in plain": b"GET https://plain.example.com/ HTTP/1.1",
    "other host in the target": b"GET http://evil.example/ HTTP/1.1",
    "other port in the target": b"GET http://plain.example.com:8080/ HTTP/1.1",
    "userinfo in the target": b"GET http://user@plain.example.com/ HTTP/1.1",
    "userinfo that looks like the host": b"GET http://plain.example.com@evil.example/ HTTP/1.1",
    "ftp": b"GET ftp://plain.example.com/ HTTP/1.1",
    "file": b"GET file:///etc/passwd HTTP/1.1",
    "three slashes": b"GET http:///plain.example.com/ HTTP/1.1",
    "empty authority": b"GET http:// HTTP/1.1",
    "quote in the target": b'GET /"a" HTTP/1.1',
    "angle in the target": b"GET /<a> HTTP/1.1",
}
BAD_HOSTS = {
    "no Host": b"",
    "empty Host": b"Host:",
    "two Hosts": b"Host: plain.example.com\r\nHost: plain.example.com",
    "two different Hosts": b"Host: plain.example.com\r\nHost: evil.example",
    "two Hosts in other case": b"Host: plain.example.com\r\nhost: evil.example",
    "other Host": b"Host: evil.example",
    "list": b"Host: plain.example.com, evil.example",
    "userinfo": b"Host: plain.example.com@evil.example",
    "user": b"Host: user@plain.example.com",
    "other port": b"Host: plain.example.com:8080",
    "port with a plus": b"Host: plain.example.com:+80",
    "port with a zero": b"Host: plain.example.com:080",
    "port too large": b"Host: plain.example.com:65616",
    "port with a letter": b"Host: plain.example.com:80x",
    "with a path": b"Host: plain.example.com/",
    "with a scheme": b"Host: http://plain.example.com",
    "inner space": b"Host: plain.example .com",
    "inner tab": b"Host: plain\t.example.com",
    "inner NUL": b"Host: plain.example.com\0",
    "NUL and suffix": b"Host: evil.example\0.plain.example.com",
    "percent": b"Host: plain%2eexample.com",
    "underscore": b"Host: plain_.example.com",
    "full-width dot": b"Host: plain\xe3\x80\x82example.com",
    "u-label": b"Host: pl\xc3\xa4in.example.com",
    "two trailing dots": b"Host: plain.example.com..",
    "leading dot": b"Host: .plain.example.com",
    "subdomain": b"Host: a.plain.example.com",
    "suffix": b"Host: evilplain.example.com",
    "IP literal": b"Host: 127.0.0.1",
    "short IP": b"Host: 127.1",
    "hexadecimal IP": b"Host: 0x7f000001",
    "brackets": b"Host: [::1]",
    "space before the colon": b"Host : plain.example.com",
    "tab before the colon": b"Host\t: plain.example.com",
}
BAD_FIELDS = {
    "obs-fold": b"X-A: b\r\n folded",
    "obs-fold with a tab": b"X-A: b\r\n\tfolded",
    "fold of Host": b"X-A: b\r\n Host: evil.example",
    "no colon": b"X-A",
    "empty name": b": value",
    "space in the name": b"X A: b",
    "space before the colon": b"X-A : b",
    "tab before the colon": b"X-A\t: b",
    "bare LF": b"X-A: b\nX-B: c",
    "bare CR": b"X-A: b\rX-B: c",
    "CR CR LF": b"X-A: b\r\r\nX-B: c",
    "NUL in a value": b"X-A: b\0c",
    "NUL in a name": b"X\0A: b",
    "tab in a value": b"X-A: b\tc",
    "escape in a value": b"X-A: \x1b]52;c;",
    "DEL in a value": b"X-A: \x7f",
    "vertical tab in a value": b"X-A: b\x0bc",
    "brace in a name": b"X{A: b",
    "slash in a name": b"X/A: b",
    "parenthesis in a name": b"X(A): b",
    "high byte in a name": b"X\xffA: b",
    "at in a name": b"X@A: b",
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "upgrade to TLS": b"Connection: Upgrade\r\nUpgrade: TLS/1.0",
    "WebSocket of a draft": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "101 fields": b"\r\n".join(b"X-%d: a" % number for number in range(101)),
    "too large": b"X-A: " + b"a" * 70_000,
}
BAD_LENGTHS = {
    "leading zero": b"010",
    "zero zero": b"00",
    "plus": b"+5",
    "minus": b"-1",
    "hexadecimal": b"0x5",
    "list of equals": b"5, 5",
    "list": b"5,6",
    "fraction": b"5.0",
    "exponent": b"1e1",
    "underscore": b"1_0",
    "letter": b"5a",
    "space inside": b"1 0",
    "empty": b"",
    "semicolon": b"5;x",
    "quotes": b'"5"',
    "high byte": b"5\xa0",
    "other digits": "٥".encode(),
    "2^64": b"18446744073709551616",
    "2^64 + 5": b"18446744073709551621",
    "20 digits": b"9" * 20,
}
BAD_ENCODINGS = {
    "identity": b"identity",
    "gzip": b"gzip",
    "gzip, chunked": b"gzip, chunked",
    "chunked, identity": b"chunked, identity",
    "chunked twice": b"chunked, chunked",
    "chunked with a parameter": b"chunked;q=1",
    "trailing comma": b"chunked,",
    "leading comma": b",chunked",
    "quoted": b'"chunked"',
    "prefix": b"xchunked",
    "suffix": b"chunkedx",
    "empty": b"",
    "tab in front": b"\tchunked",
    "vertical tab in front": b"\x0bchunked",
    "NUL behind": b"chunked\0",
}
BAD_FRAMINGS = {
    "length and chunked": post(
        b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "chunked and length": post(
        b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "chunked and zero length": post(b"Transfer-Encoding: chunked", b"Content-Length: 0"),
    "two equal lengths": post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    "two lengths": post(b"Content-Length: 0", b"Content-Length: 5", body=b"hello"),
    "two encodings": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "identity and chunked": post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
    "space before the length's colon": post(b"Content-Length : 5", body=b"hello"),
    "space before the encoding's colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "folded encoding": post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"),
    "LF before the encoding": post(b"X: y\nTransfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked in 1.0": head(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0") + b"0\r\n\r\n",
    "leading empty line": b"\r\n" + head(),
    "LF only": b"GET / HTTP/1.1\nHost: plain.example.com\n\n",
    "LF at the end": b"GET / HTTP/1.1\r\nHost: plain.example.com\r\n\n",
    "CR only, then a line feed": b"GET / HTTP/1.1\rHost: plain.example.com\r\r\n\r\n",
    "URL too long": head(line=b"GET /" + b"a" * 17_000 + b" HTTP/1.1"),
}
BAD_CHUNKS = {
    "extension": b"5;x=y\r\nhello\r\n0\r\n\r\n",
    "extension with LF": b"5;\nx\r\nhello\r\n0\r\n\r\n",
    "extension on the last": b"0;x\r\n\r\n",
    "space behind": b"5 \r\nhello\r\n0\r\n\r\n",
    "space in front": b" 5\r\nhello\r\n0\r\n\r\n",
    "tab": b"5\t\r\nhello\r\n0\r\n\r\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "leading zero": b"05\r\nhello\r\n0\r\n\r\n",
    "two zeros": b"00\r\n\r\n",
    "empty size": b"\r\nhello\r\n0\r\n\r\n",
    "not hexadecimal": b"g\r\nhello\r\n0\r\n\r\n",
    "underscore": b"1_0\r\nhellohellohellox\r\n0\r\n\r\n",
    "nine digits": b"100000000\r\n",
    "17 digits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "LF behind the size": b"5\nhello\r\n0\r\n\r\n",
    "CR behind the size": b"5\rhello\r\n0\r\n\r\n",
    "LF behind the data": b"5\r\nhello\n0\r\n\r\n",
    "nothing behind the data": b"5\r\nhello0\r\n\r\n",
    "data too long": b"5\r\nhelloX\r\n0\r\n\r\n",
    "data too short": b"6\r\nhello\r\n0\r\n\r\n",
    "NUL in the size": b"5\0\r\nhello\r\n0\r\n\r\n",
    "LF at the end": b"5\r\nhello\r\n0\r\n\n",
    "trailer without colon": b"0\r\nX\r\n\r\n",
    "folded trailer": b"0\r\nX: y\r\n z\r\n\r\n",
    "trailer with NUL": b"0\r\nX: \0\r\n\r\n",
    "trailers too large": b"0\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
    "request instead of the last chunk's end": b"0\r\n" + SMUGGLED,
}
HEADS = {
    **{f"request line: {name}": head(line=line) for name, line in BAD_REQUEST_LINES.items()},
    **{f"host: {name}": head(host=host) for name, host in BAD_HOSTS.items()},
    **{f"field: {name}": head(field) for name, field in BAD_FIELDS.items()},
    **{
        f"length: {name}": post(b"Content-Length: " + value, body=b"hello" * 3)
        for name, value in BAD_LENGTHS.items()
    },
    **{
        f"encoding: {name}": post(b"Transfer-Encoding: " + value, body=b"5\r\nhello\r\n0\r\n\r\n")
        for name, value in BAD_ENCODINGS.items()
    },
    **{f"framing: {name}": data for name, data in BAD_FRAMINGS.items()},
}
BODIES = {
    f"chunk: {name}": post(b"Transfer-Encoding: chunked", body=body) for name, body in BAD_CHUNKS.items()
}
GOOD = {
    "plain": (head(), "/", b""),
    "absolute-form": (head(line=b"GET http://plain.example.com/a HTTP/1.1"), "/a", b""),
    "absolute-form with the port": (head(line=b"GET http://plain.example.com:80/a HTTP/1.1"), "/a", b""),
    "Host with the port": (head(host=b"Host: plain.example.com:80"), "/", b""),
    "Host in capitals": (head(host=b"HOST: PLAIN.EXAMPLE.COM"), "/", b""),
    "Host with a dot": (head(host=b"Host: plain.example.com."), "/", b""),
    "no space behind the colon": (head(host=b"Host:plain.example.com"), "/", b""),
    "100 fields": (head(*(b"X-%d: a" % n for n in range(99))), "/", b""),
    "dot segments": (head(line=b"GET /a/../b/./c HTTP/1.1"), "/b/c", b""),
    "unreserved encoding": (head(line=b"GET /%61%2Db HTTP/1.1"), "/a-b", b""),
    "empty segments": (head(line=b"GET //a///b HTTP/1.1"), "/a/b", b""),
    "query": (head(line=b"GET /a?b=c&d=%20 HTTP/1.1"), "/a?b=c&d=%20", b""),
    "length": (post(b"Content-Length: 5", body=b"hello"), "/p", b"hello"),
    "zero length": (post(b"Content-Length: 0"), "/p", b""),
    "chunked": (post(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"), "/p", b"hello"),
    "Chunked": (post(b"Transfer-Encoding: Chunked", body=b"A\r\nhellohello\r\n0\r\n\r\n"), "/p", b"hello" * 2),
    "chunked with a trailer": (
        post(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\nX-T: y\r\n\r\n"), "/p", b"hello",
    ),
    "GET with a body": (head(b"Content-Length: 2") + b"ab", "/", b"ab"),
    "HTTP/1.0": (head(line=b"GET / HTTP/1.0"), "/", b""),
    "high byte in a value": (head(b"X-A: \xe4"), "/", b""),
}  # fmt: skip


@pytest.fixture(scope="module")
def fake():
    with FakeUpstream(tls=False) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def proxy(run_shared_proxy, fake, to):
    return run_shared_proxy(POLICY, connect_to=to(fake, ("plain.example.com", 80), ("evil.example", 80)))


def exchange(proxy, data: bytes) -> bytes:
    """Everything that the proxy says to *data* and the smuggled request behind it, until it closes."""
    client = proxy.tunnel("plain.example.com", 80)
    try:
        client.send(data + SMUGGLED)
        return client.read_all()
    except ConnectionError:
        return client.read_all()
    finally:
        client.close()


def test_the_tables_are_large_enough():
    assert len(HEADS) + len(BODIES) >= 150


@pytest.mark.parametrize("name", HEADS)
def test_a_malformed_head_reaches_no_upstream(proxy, fake, name):
    """Refused (or, where no head ever ends, closed), and not a byte arrives, nor a connection."""
    before = (len(fake.raw), fake.accepted)
    said = exchange(proxy, HEADS[name])
    assert (len(fake.raw), fake.accepted) == before
    assert said == b"" or said.split(b" ")[1] in (b"403", b"414", b"426", b"431"), said
    assert said.count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize("name", HEADS)
def test_a_malformed_head_is_answered_without_waiting(proxy, name):
    """A refusal comes at once, so that nobody hangs. What does not begin like a request is closed."""
    client = proxy.tunnel("plain.example.com", 80)
    client.send(HEADS[name])
    said = client.read_some()
    assert said.startswith(b"HTTP/1.1 4") or (not HEADS[name][:1].isupper() and not said)
    client.close()


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_never_becomes_a_request(proxy, fake, name):
    """The upstream may see the head and what was well-formed, never the body's end nor a second request."""
    before, raw = len(fake.requests), len(fake.raw)
    exchange(proxy, BODIES[name])
    time.sleep(0.02)
    fresh = fake.raw[raw:]
    assert len(fake.requests) == before
    assert b"smuggled" not in fresh
    assert b"0\r\n\r\n" not in fresh


@pytest.mark.parametrize("name", GOOD)
def test_a_well_formed_request_passes_written_anew(proxy, fake, name):
    """The control: the same tunnel, and what arrives is our own writing of it."""
    data, target, body = GOOD[name]
    before = len(fake.requests)
    client = proxy.tunnel("plain.example.com", 80)
    client.send(data)
    assert client.answer().status == 200
    client.close()
    (request,) = fake.requests[before:]
    assert (request.target, request.body, request.version) == (target, body, "HTTP/1.1")
    assert request.headers[0] == ("Host", "plain.example.com")
