"""Invariant: no bytes make the DNS stand-in raise, ask anybody, or answer anything but a stand-in or nothing.

RFC 1035 by hand on both sides: the tests' own encoder knows nothing of the code's parser.
"""

from __future__ import annotations

from struct import pack, unpack_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.sandbox.shim.names import StandIns, answer, valid_name

A, AAAA, TXT, HTTPS, ANY = 1, 28, 16, 65, 255


def query(name: str, kind: int = A, *, flags: int = 0x0100, count: int = 1, klass: int = 1) -> bytes:
    labels = b"".join(pack("B", len(label)) + label.encode("latin-1") for label in name.split(".") if label)
    return pack(">6H", 0x1234, flags, count, 0, 0, 0) + labels + b"\0" + pack(">2H", kind, klass)


def addresses(reply: bytes) -> list[str]:
    """The A records of *reply*; each must point at the question's name."""
    (count,) = unpack_from(">H", reply, 6)
    found = []
    for index in range(count):
        record = reply[len(reply) - 16 * (count - index) :][:16]
        pointer, kind, klass, _, size = unpack_from(">HHHIH", record)
        assert (pointer, kind, klass, size) == (0xC00C, A, 1, 4)
        found.append(".".join(str(byte) for byte in record[12:]))
    return found


def test_names_get_stable_stand_ins() -> None:
    """The same name the same address, whatever its case; another name another one; and back."""
    table = StandIns()
    first = answer(query("Api.Example"), table)
    again = answer(query("api.example."), table)
    other = answer(query("other.example"), table)
    assert first and again and other
    assert addresses(first) == addresses(again) == ["127.1.0.1"]
    assert addresses(other) == ["127.1.0.2"]
    assert table.name("127.1.0.1") == "api.example"
    assert unpack_from(">H", first)[0] == 0x1234
    assert unpack_from(">H", first, 2)[0] == 0x8180  # an answer, recursion wanted and available, no error


@pytest.mark.parametrize("kind", [AAAA, TXT, HTTPS, 12, 2, 15, 33, 64, 43])
def test_other_types_are_empty(kind: int) -> None:
    """No error and no record, so that clients fall back to A."""
    table = StandIns()
    reply = answer(query("api.example", kind), table)
    assert reply
    assert addresses(reply) == []
    assert unpack_from(">H", reply, 2)[0] & 0xF == 0
    assert table.name("127.1.0.1") is None


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "LOCALHOST"])
def test_localhost_is_localhost(name: str) -> None:
    """RFC 6761: never a stand-in."""
    reply = answer(query(name), StandIns())
    assert reply
    assert addresses(reply) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "packet",
    [
        b"", b"\0" * 12, query("a", flags=0x8100), query("a", flags=0x2800), query("a", count=0),
        query("a", count=2), query("a")[:-1], query("a")[:13] + b"\xc0\x0c" + b"\0" * 8, b"\0" * 5000,
        pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\x3f" * 300,
    ],
)  # fmt: skip
def test_what_is_no_query_gets_no_answer(packet: bytes) -> None:
    """Answers, other opcodes, no or several questions, cut and compressed names."""
    assert answer(packet, StandIns()) is None


@pytest.mark.parametrize("name", ["a b", "a\r\nHost: x", "a:80", "a/b", "\xfcber", "a@b", "*.a", "a\0b"])
def test_names_that_could_not_be_asked_for_have_no_address(name: str) -> None:
    """A name becomes part of a CONNECT line: nothing else than letters, digits, dash, underscore, dot."""
    reply = answer(query(name), StandIns())
    assert reply
    assert addresses(reply) == []
    assert not valid_name(name)


def test_the_table_is_bounded() -> None:
    """The oldest name gives its address to the newest; no address stands for two names."""
    table = StandIns(limit=300)
    given_out = {f"n{number}": table.address(f"n{number}") for number in range(1000)}
    live = {name: address for name, address in given_out.items() if int(name[1:]) >= 700}
    assert len(set(live.values())) == 300
    for name, address in live.items():
        assert table.name(".".join(map(str, address))) == name
    assert all(address[:2] == b"\x7f\x01" and 1 <= address[3] <= 254 for address in given_out.values())


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes(packet: bytes) -> None:
    """None or an answer of the same id with at most one record."""
    reply = answer(packet, StandIns())
    if reply is not None:
        assert reply[:2] == packet[:2]
        assert reply[2] & 0x80
        assert len(addresses(reply)) <= 1


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 65535))
def test_any_name(name: bytes, kind: int) -> None:
    """Whatever the labels are, an address comes only for a valid name."""
    packet = query("x", kind)[:12] + name + b"\0" + pack(">2H", kind, 1)
    table = StandIns()
    reply = answer(packet, table)
    if reply is not None and addresses(reply) and addresses(reply) != ["127.0.0.1"]:
        stood = table.name(addresses(reply)[0])
        assert stood is not None
        assert valid_name(stood)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_addresses_that_stand_for_nothing(text: str) -> None:
    """No text raises; only the table's own addresses have a name."""
    try:
        assert StandIns().name(text) is None
    except ValueError:
        assert not text.isascii() or not text.replace(".", "").isdigit()
