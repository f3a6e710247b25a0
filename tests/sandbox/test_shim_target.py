"""Invariant: no bytes make the search for a name raise, and what it finds may stand in a CONNECT line.

Real ClientHellos come from OpenSSL; they are cut at every place and packed into small records.
"""

from __future__ import annotations

import ssl
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.sandbox.shim.names import valid_name
from bot_bottle.sandbox.shim.target import MAX_HEAD_BYTES, MORE, find


@cache
def hello(name: str | None) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def in_records(data: bytes, size: int) -> bytes:
    body = data[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


def test_server_name_of_a_hello() -> None:
    """Lower case, without a final dot; None where there is none."""
    assert find(hello("api.example")) == "api.example"
    assert find(hello("API.Example")) == "api.example"
    assert find(hello(None)) is None


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_hello_in_pieces(size: int) -> None:
    """Over several records, and cut anywhere: more is asked for until the hello is whole, never guessed."""
    data = in_records(hello("api.example"), size)
    for cut in range(len(data)):
        assert find(data[:cut]) is MORE, cut
    assert find(data) == "api.example"
    assert find(data + b"early data") == "api.example"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", MORE),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n", MORE),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example"),
        (b"GET / HTTP/1.1\r\nhOsT:A.example.:8080\r\n\r\nbody", "a.example"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", None),
        (b"SSH-2.0-OpenSSH\r\n", MORE),
        (b"\x80\x2e\x01\x03\x01", None),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", None),
        (b"\x16\x03\x01\xff\xff\x01\xff\xff\xff", None),
        (b"x" * MAX_HEAD_BYTES, None),
        (b"\x16\x03\x01\x00\x00" * (MAX_HEAD_BYTES // 5 + 1), None),
    ],
)
def test_first_bytes(data: bytes, expected: object) -> None:
    """One Host, one name; what is neither TLS nor HTTP has none."""
    assert find(data) == expected


@settings(deadline=None)
@given(st.binary(max_size=3000), st.sampled_from([b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nHost: "]))
def test_any_bytes(data: bytes, head: bytes) -> None:
    """A valid name, none, or more."""
    found = find(head + data)
    assert found is None or found is MORE or (isinstance(found, str) and valid_name(found))


@settings(deadline=None)
@given(st.data())
def test_damaged_hellos(data: st.DataObject) -> None:
    """One byte of a real hello changed: no exception, no name that could not be asked for."""
    good = bytearray(hello("api.example"))
    good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    found = find(bytes(good))
    assert found is None or found is MORE or (isinstance(found, str) and valid_name(found))
