"""Invariant: what our parser accepts, llhttp (Node's) accepts too, and reads as the same message.

Two parsers that disagree are what request smuggling lives on. The other way round nothing is claimed: we
refuse much that llhttp repairs.
"""

from __future__ import annotations

import httptools
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.sidecar.proxy.body import body_reader
from bot_bottle.sidecar.proxy.http1 import Malformed, find_head_end, parse_request
from bot_bottle.sidecar.proxy.limits import Limits

LIMITS = Limits()


class Collected:
    """What llhttp sees of one request."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = 0
        self.in_trailers = False

    def on_headers_complete(self) -> None:
        self.in_trailers = True

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_trailers:  # dropped by us: a server may take them for headers, as llhttp's binding does
            return
        self.headers.append((name, value.rstrip(b" ")))  # llhttp leaves the space that RFC 9112 takes off

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1


def ours(data: bytes):
    """(method, target, headers, body) of the first whole request, or None."""
    try:
        ends = find_head_end(data, LIMITS)
        if ends is None:
            return None
        parsed = parse_request(data[: ends[0]], LIMITS)
        reader = body_reader(parsed.framing, strict=True)
        body, rest = b"", data[ends[1] :]
        if not reader.done:
            body, rest = b"".join(reader.feed(rest)), reader.rest
        if not reader.done:
            return None
    except Malformed:
        return None
    head = parsed.head
    return (head.method, head.target, list(head.headers), body), len(data) - len(rest)


def theirs(data: bytes):
    collected = Collected()
    parser = httptools.HttpRequestParser(collected)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass
    return (parser.get_method(), collected.url, collected.headers, collected.body), collected.complete


METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH"])
TARGETS = st.sampled_from([b"/", b"/a/b?c=d", b"http://x.example/p", b"*", b"/%41", b"/a b", b"/\x80", b""])
FIELDS = st.sampled_from(
    [b"Host: x.example", b"X-Y: z", b"X-Y:z ", b"X-Y:  z  w ", b"X-Empty:", b"Content-Length: 5", b"Content-Length: 0",
     b"Content-Length: 05", b"Content-Length: +5", b"Content-Length: 5, 5", b"Transfer-Encoding: chunked",
     b"Transfer-Encoding: Chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding : chunked",
     b"Transfer-Encoding: chunked, identity", b"Connection: close", b"Connection: keep-alive", b" folded", b"X\x00: y",
     b"X: y\x00", b"X: a\rb", b"X: a\nY: b", b"Expect: 100-continue", b"X-High: \xff", b"NoColon", b": empty"]
)  # fmt: skip
BODIES = st.sampled_from(
    [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nT: x\r\n\r\n", b"5;x=y\r\nhello\r\n0\r\n\r\n",
     b"05\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\n", b"5\nhello\n0\n\n", b"A\r\n0123456789\r\n0\r\n\r\n",
     b"0x5\r\nhello\r\n0\r\n\r\n"]
)  # fmt: skip
LINE_ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n"])
MESSAGES = st.builds(
    lambda method, target, version, fields, end, body: (
        b" ".join([method, target, version]) + end + b"".join(field + b"\r\n" for field in fields) + end + body
    ),
    METHODS, TARGETS, st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/1.2", b"http/1.1"]),
    st.lists(FIELDS, max_size=4), LINE_ENDS, BODIES,
)  # fmt: skip

accepted = 0


@settings(max_examples=1500, deadline=None)
@given(MESSAGES)
def test_what_we_accept_llhttp_reads_as_the_same(data):
    global accepted
    found = ours(data)
    if found is None:
        return
    accepted += 1
    message, used = found
    seen, complete = theirs(data[:used])
    assert complete == 1
    assert seen == message


def test_the_comparison_compared_something():
    assert accepted > 50
