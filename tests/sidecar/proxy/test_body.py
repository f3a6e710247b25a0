"""Bodies in pieces. Invariant: the split of the input changes neither content, nor end, nor verdict."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.sidecar.proxy.body import MAX_TRAILER_BYTES, body_reader
from bot_bottle.sidecar.proxy.http1 import Body, Framing, Malformed


def read(framing: Framing, pieces: list[bytes], *, strict: bool = True) -> tuple[bytes, bool, bytes] | str:
    """Content, whether it has ended, what came after; or why it is malformed."""
    reader = body_reader(framing, strict=strict)
    content = b""
    try:
        for index, piece in enumerate(pieces):
            if reader.done:
                return content, True, reader.rest + b"".join(pieces[index:])
            parts = reader.feed(piece)
            assert all(parts)
            content += b"".join(parts)
    except Malformed:
        return "malformed"
    return content, reader.done, reader.rest


CHUNKED = Framing(Body.CHUNKED)

TABLE = [
    (b"0\r\n\r\nrest", (b"", True, b"rest")),
    (b"5\r\nhello\r\n0\r\n\r\n", (b"hello", True, b"")),
    (b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nnext", (b"hello!", True, b"next")),
    (b"A\r\n0123456789\r\n0\r\nX: y\r\nZ: w\r\n\r\n", (b"0123456789", True, b"")),
    (b"5\r\nhel", (b"hel", False, b"")),
    (b"5\r\nhello", (b"hello", False, b"")),
    (b"5\r\nhello\r\n0\r\n", (b"hello", False, b"")),
    (b"5\r\nhello\r\n0\r\nX: y\r\n", (b"hello", False, b"")),
    (b"5\r\nhelloX", "malformed"),
    (b"5\r\nhello\rX", "malformed"),
    (b"5;x\r\nhello\r\n", "malformed"),
    (b"5 \r\n", "malformed"),
    (b"-1\r\n", "malformed"),
    (b"\r\n", "malformed"),
    (b"123456789\r\n", "malformed"),
    (b"0\r\n bad\r\n\r\n", "malformed"),
    (b"0\r\nX: " + b"a" * MAX_TRAILER_BYTES + b"\r\n\r\n", "malformed"),
]


@pytest.mark.parametrize(("data", "expected"), TABLE)
def test_chunked_whole_and_byte_by_byte(data, expected):
    assert read(CHUNKED, [data]) == expected
    bytewise = read(CHUNKED, [bytes([byte]) for byte in data])
    assert bytewise == expected


def test_a_leading_zero_is_refused_from_clients_and_accepted_from_servers():
    data = b"0005\r\nhello\r\n000\r\n\r\n"
    assert read(CHUNKED, [data]) == "malformed"
    assert read(CHUNKED, [data], strict=False) == (b"hello", True, b"")


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.lists(st.integers(0, 400), max_size=8),
    st.binary(max_size=10),
)
def test_what_was_chunked_comes_out_whole(parts, cuts, rest):
    """Any content in any chunks in any pieces."""
    data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n" + rest
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert read(CHUNKED, pieces) == (b"".join(parts), True, rest)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_a_split_changes_no_verdict(noise, cut):
    data = noise.replace(b"n", b"\r\n").replace(b"z", b"0\r\n")
    assert (read(CHUNKED, [data]) == "malformed") is (
        read(CHUNKED, [piece for piece in (data[:cut], data[cut:]) if piece]) == "malformed"
    )


@given(st.binary(max_size=50), st.integers(0, 60), st.integers(0, 50))
def test_a_length_is_exact(data, length, cut):
    pieces = [piece for piece in (data[:cut], data[cut:]) if piece]
    content, done, rest = read(Framing(Body.LENGTH, length), pieces)
    assert content == data[:length]
    assert done is (len(data) >= length)
    assert rest == data[length:]


@pytest.mark.parametrize(
    ("framing", "fed", "whole"),
    [
        (Framing(Body.NONE), b"", True),
        (Framing(Body.LENGTH, 2), b"ab", True),
        (Framing(Body.LENGTH, 3), b"ab", False),
        (CHUNKED, b"1\r\na\r\n", False),
        (CHUNKED, b"0\r\n\r\n", True),
        (Framing(Body.UNTIL_CLOSE), b"abc", True),
    ],
)
def test_whether_a_close_is_a_good_end(framing, fed, whole):
    reader = body_reader(framing, strict=True)
    if fed:
        reader.feed(fed)
    assert reader.end() is whole
