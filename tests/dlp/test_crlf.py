"""Line breaks in a request's line or header fields, as they are and encoded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.dlp.crlf import crlf_hits, without_breaks

BREAKS = [
    b"/a%0d%0aSet-Cookie: x",
    b"/a%0D%0a",
    b"/a%0d%0A",
    b"/a%250d%250a",
    b"/a\r\nX: y",
    b"/a\nHost: other",
    b"/a%0aHost: other",
    b"/a%0aHost%3aother",
    b"value\rX-Forwarded-For: 1",
    b"%0d%0a%0d%0aGET / HTTP/1.1",
]
FINE = [
    b"/a?text=first%20line",
    b"/a%0bb",
    b"/a?q=100%0",
    b"/a%0aplain text without a name",
    b"/d0a/0d0a",
    b"text/html; charset=utf-8",
    b"/a%2f%0",
]


@pytest.mark.parametrize("text", BREAKS)
def test_it_is_found(text: bytes) -> None:
    assert crlf_hits(text)


@pytest.mark.parametrize("text", FINE)
def test_it_is_not_found(text: bytes) -> None:
    assert crlf_hits(text) == []


@pytest.mark.parametrize("text", BREAKS)
def test_it_can_be_taken_out(text: bytes) -> None:
    left = without_breaks(text)
    assert left is not None
    assert crlf_hits(left) == []


def test_breaks_that_appear_as_others_go_are_taken_out_or_refused() -> None:
    assert without_breaks(b"%0%0aa") == b""
    assert without_breaks(b"%0" * 50 + b"%0a" + b"a" * 50) is None


@given(st.binary(max_size=300))
def test_what_is_left_has_none(text: bytes) -> None:
    left = without_breaks(text)
    assert left is None or crlf_hits(left) == []
    assert left is None or without_breaks(left) == left
