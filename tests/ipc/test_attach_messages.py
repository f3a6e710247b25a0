"""Invariant: what is accepted encodes to itself, fits a packet, and is within its bounds; all else is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.ipc import attach, wire

SIZES = st.integers(1, 4096)
FROM_CLIENT = st.one_of(
    st.builds(attach.Hello, SIZES, SIZES, st.booleans(), st.booleans()),
    st.builds(attach.Ask),
    st.builds(attach.Keys, st.binary(max_size=200)),
    st.builds(attach.Resize, SIZES, SIZES, st.booleans()),
)
FROM_SESSION = st.one_of(
    st.builds(attach.Welcome, st.text(max_size=40), st.text(max_size=40), st.text(max_size=10)),
    st.builds(attach.Show, st.binary(max_size=200)),
    st.builds(attach.Notice, st.text(max_size=100)),
    st.sampled_from([attach.Clear(), attach.Taken(), attach.ProgramEnded(3)]),
    st.builds(attach.Ended, st.integers(0, 255), st.none() | st.integers(0, 255)),
    st.builds(attach.Condition, st.booleans(), st.floats(0, 1e6), st.booleans(), st.integers(0, 16)),
)


@given(FROM_CLIENT)
def test_property_a_clients_message_is_read_as_it_was_sent(message: msgspec.Struct) -> None:
    assert msgspec.json.decode(attach.pack(message), type=attach.FromClient) == message


@given(FROM_SESSION)
def test_property_a_sessions_message_is_read_as_it_was_sent(message: msgspec.Struct) -> None:
    assert msgspec.json.decode(attach.pack(message), type=attach.FromSession) == message


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"hello","rows":0,"columns":80}',
        '{"type":"hello","rows":24,"columns":4097}',
        '{"type":"hello","rows":24,"columns":80,"uid":0}',
        '{"type":"hello","rows":24.5,"columns":80}',
        '{"type":"resize","rows":-1,"columns":80}',
        '{"type":"keys","data":"not base64!"}',
        '{"type":"keys"}',
        '{"type":"show","data":""}',
        '{"type":"ended","exit_status":0}',
        '{"rows":24,"columns":80}',
        "[]",
        "",
    ],
)
def test_another_message_is_none_of_a_clients(text: str) -> None:
    """Unknown fields, sizes that nobody has, what only a session says."""
    with pytest.raises(msgspec.MsgspecError):
        msgspec.json.decode(text, type=attach.FromClient)


@pytest.mark.parametrize(
    ("size", "fits"), [(attach.MAX_DATA_BYTES, True), (attach.MAX_DATA_BYTES + 1, False)]
)
def test_data_is_bounded_and_fits_a_packet(size: int, fits: bool) -> None:
    """The longest that a type allows goes through the socket in one piece."""
    packet = attach.pack(attach.Keys(b"\xff" * size))
    if not fits:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(packet, type=attach.FromClient)
        return
    assert len(packet) <= wire.MAX_MESSAGE_BYTES
    mine, theirs = wire.pair()
    with mine, theirs:
        mine.send(packet)
        assert wire.receive(theirs, attach.FromClient)[0] == attach.Keys(b"\xff" * size)
