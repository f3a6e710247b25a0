"""Heads: what is accepted has one reading. The whole table of refusals is in ``test_proxy_malformed``."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot_bottle.sidecar.proxy.http1 import (
    Body,
    Framing,
    Malformed,
    find_head_end,
    parse_request,
    parse_response,
)
from bot_bottle.sidecar.proxy.limits import Limits

LIMITS = Limits()


def parsed(head: bytes):
    return parse_request(head, LIMITS)


def test_a_request_in_parts():
    found = parsed(b"POST /a?b HTTP/1.1\r\nHost: x\r\nX-Y:  z  \r\nContent-Length: 7\r\n")
    assert (found.head.method, found.head.target, found.head.version) == (b"POST", b"/a?b", b"HTTP/1.1")
    assert found.head.headers == ((b"Host", b"x"), (b"X-Y", b"z"), (b"Content-Length", b"7"))
    assert (found.framing, found.keep_alive) == (Framing(Body.LENGTH, 7), True)


@pytest.mark.parametrize(
    ("lines", "keep"),
    [
        (b"GET / HTTP/1.1\r\n", True),
        (b"GET / HTTP/1.0\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n", False),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n", False),
        (b"GET / HTTP/1.1\r\nConnection: X, Close\r\n", False),
        (b"GET / HTTP/1.1\r\nProxy-Connection: close\r\n", False),
    ],
)
def test_who_keeps_the_connection(lines, keep):
    assert parsed(lines).keep_alive is keep


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", None),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r", None),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nrest", (25, 27)),
        (b"GET / HTTP/1.1\r\n\r\n", (16, 18)),
        (b"a\n\nb", (3, 3)),
        (b"a\r\n\nb", (4, 4)),
        (b"a\n\r\nb", (2, 4)),
        (b"a\n\nb\r\n\r\n", (3, 3)),
    ],
)
def test_where_a_head_ends(data, expected):
    """At the first place where any parser could see an end."""
    assert find_head_end(data, LIMITS) == expected


@given(
    st.binary(max_size=80).map(lambda b: b.replace(b"a", b"\r\n").replace(b"b", b"\n")), st.integers(0, 80)
)
@example(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 25)
def test_the_end_is_found_whatever_was_searched_before(data, cut):
    """Searching a prefix first, then from where it ended, finds the same place."""
    cut = min(cut, len(data))
    first = find_head_end(data[:cut], LIMITS)
    assert (first or find_head_end(data, LIMITS, cut)) == find_head_end(data, LIMITS)


LINES = st.sampled_from(
    [b"Host: x", b"X-A: b", b"Content-Length: 5", b"Content-Length: 05", b"Transfer-Encoding: chunked",
     b"Transfer-Encoding: gzip", b" folded", b"X : y", b"X", b"", b"X-A: \0", b"X: a\nY: b", b"Connection: close"]
)  # fmt: skip


@given(st.sampled_from([b"GET / HTTP/1.1", b"POST * HTTP/1.0", b"x", b""]), st.lists(LINES, max_size=6))
def test_what_is_accepted_reads_back_as_the_same(line, lines):
    """Written out again from the parsed parts, an accepted head parses to an equal value."""
    data = b"".join(part + b"\r\n" for part in (line, *lines))
    try:
        first = parsed(data)
    except Malformed:
        return
    head = first.head
    again = b" ".join([head.method, head.target, head.version]) + b"\r\n"
    again += b"".join(name + b": " + value + b"\r\n" for name, value in head.headers)
    assert parsed(again) == first
    assert again.count(b"\n") == len(head.headers) + 1


@given(st.binary(max_size=200))
def test_noise_is_malformed_or_parsed_never_another_error(data):
    for parse in (parsed, lambda head: parse_response(head, "GET", LIMITS)):
        what = ""
        try:
            parse(data)
        except Malformed as error:
            what = error.what
        assert len(data) < 8 or data not in what.encode(), "no input in a reason"


@pytest.mark.parametrize(
    ("head", "method", "framing", "keep"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "GET", Framing(Body.LENGTH, 3), True),
        (b"HTTP/1.1 200\r\nContent-Length: 3\r\n", "GET", Framing(Body.LENGTH, 3), True),
        (b"HTTP/1.1 200 \r\n", "GET", Framing(Body.UNTIL_CLOSE), False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n", "GET", Framing(Body.LENGTH, 3), False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "GET", Framing(Body.CHUNKED), True),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n",
            "GET",
            Framing(Body.LENGTH, 3),
            False,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "HEAD", Framing(Body.NONE), True),
        (b"HTTP/1.1 304 X\r\nContent-Length: 3\r\n", "GET", Framing(Body.NONE), True),
        (b"HTTP/1.1 204 X\r\nContent-Length: 0\r\n", "GET", Framing(Body.NONE), True),
        (b"HTTP/1.1 200 OK\r\nX: a\tb\xe4\r\nContent-Length: 0\r\n", "GET", Framing(Body.LENGTH, 0), True),
    ],
)
def test_how_a_response_is_framed(head, method, framing, keep):
    found = parse_response(head, method, LIMITS)
    assert (found.framing, found.keep_alive) == (framing, keep)


def test_remembered_lines_change_nothing():
    """More different lines than are kept: each still reads as itself."""
    for number in range(5000):
        head = b"GET / HTTP/1.1\r\nX-%d: %d\r\n" % (number, number)
        assert parsed(head).head.headers == ((b"X-%d" % number, b"%d" % number),)
