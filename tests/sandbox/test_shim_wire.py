"""Invariant: what is encoded is decoded to the same; anything else is a WireError and no descriptor stays."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.sandbox.shim import wire


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        other.settimeout(5)
        yield one, other


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=20))
def test_round_trip(fields: list[bytes]) -> None:
    """Empty fields too."""
    assert wire.decode(wire.encode(fields)) == fields


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """A list that encodes to the same bytes, or an error."""
    try:
        assert wire.encode(wire.decode(data)) == data
    except wire.WireError:
        pass


@pytest.mark.parametrize("size", [0, 1, 65_000, 70_000, 3_000_000])
def test_small_and_large(ends: tuple[socket.socket, socket.socket], size: int) -> None:
    """What no packet holds goes in a memfd; descriptors come with both."""
    one, other = ends
    reading, writing = os.pipe()
    wire.send(one, [b"op", b"x" * size], [writing])
    os.close(writing)
    fields, fds = wire.receive(other, large=True)
    assert fields == [b"op", b"x" * size]
    os.write(fds[0], b"through")
    assert os.read(reading, 10) == b"through"
    wire.close_all([reading, *fds])


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"I",
        b"X" + wire.encode([b"a"]),
        b"M",
        b"I" + pack("<I", 5) + b"abc",
        b"I" + b"\1\0",
        b"I" + b"\xff" * 9,
    ],
)
def test_broken_packets(ends: tuple[socket.socket, socket.socket], packet: bytes) -> None:
    """An error, and what came along is closed."""
    one, other = ends
    before = _open_descriptors()
    reading, writing = os.pipe()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, pack("i", writing))]
    one.sendmsg([packet], rights)
    os.close(writing)
    with pytest.raises(wire.WireError):
        wire.receive(other)
    assert os.read(reading, 1) == b""
    os.close(reading)
    assert _open_descriptors() == before


def test_a_memfd_is_taken_only_where_it_is_asked_for(ends: tuple[socket.socket, socket.socket]) -> None:
    """The host takes none from a bottle: its content could change while it is read."""
    one, other = ends
    before = _open_descriptors()
    wire.send(one, [b"x" * 100_000])
    with pytest.raises(wire.WireError):
        wire.receive(other)
    assert _open_descriptors() == before


def test_too_many_descriptors(ends: tuple[socket.socket, socket.socket]) -> None:
    """Cut by the kernel: an error, none stays."""
    one, other = ends
    before = _open_descriptors()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, pack("20i", *[0] * 20))]
    one.sendmsg([b"I" + wire.encode([b"a"])], rights)
    with pytest.raises(wire.WireError):
        wire.receive(other)
    assert _open_descriptors() == before


def test_the_end_of_the_peer(ends: tuple[socket.socket, socket.socket]) -> None:
    """Sending and receiving raise."""
    one, other = ends
    one.close()
    with pytest.raises(wire.WireError):
        wire.receive(other)
    with pytest.raises(wire.WireError):
        wire.send(other, [b"x"])
