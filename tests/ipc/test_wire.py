"""Invariant: whatever a peer sends, ``receive`` returns a typed message or raises WireError (or the socket's
own timeout), and leaves no descriptor open that it did not return."""

from __future__ import annotations

import array
import os
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.ipc import wire
from bot_bottle.ipc.daemon import (
    Adopt,
    Done,
    Failed,
    Finished,
    LaunchSidecar,
    Reply,
    Request,
    Status,
    StatusRequest,
)
from bot_bottle.ipc.sidecar import (
    ConnectTo,
    Drain,
    FromSidecar,
    Ready,
    Refused,
    Reload,
    Reloaded,
    SidecarSpec,
    ToSidecar,
)

SPEC = SidecarSpec(
    bottle="one", nonce="0" * 32, egress_dir="/e", run_dir="/r", uid=7, extra_ca_pem="PEM",
    connect_to=(ConnectTo("a", 1, "127.0.0.1", 2),), refuse_ports=(9099,),
)  # fmt: skip

EVERY_MESSAGE = [
    (LaunchSidecar(SPEC), Request), (Adopt("one", ("proxy", "gate")), Request),
    (Finished(), Request), (StatusRequest(), Request),
    (Done(), Reply), (Failed("why"), Reply), (Status(1, "0", 1, ("a", "b")), Reply),
    (Reload(), ToSidecar), (Drain(), ToSidecar),
    (Ready("v", "pem"), FromSidecar), (Reloaded("v"), FromSidecar), (Refused("why"), FromSidecar),
]  # fmt: skip


@pytest.fixture
def ends():
    one, other = wire.pair()
    other.settimeout(5)
    with one, other:
        yield one, other


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def send_raw(sock: socket.socket, payload: bytes, descriptors: int) -> None:
    null = os.open("/dev/null", os.O_RDONLY)
    fds = array.array("i", [null] * descriptors)
    sock.sendmsg([payload], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if descriptors else [])
    os.close(null)


@pytest.mark.parametrize(("message", "kind"), EVERY_MESSAGE, ids=lambda value: type(value).__name__)
def test_a_message_arrives_as_it_was_sent(ends, message, kind):
    wire.send(ends[0], message)
    assert wire.receive(ends[1], kind) == (message, [])


def test_descriptors_arrive_close_on_exec_and_in_order(ends):
    pipes = [os.pipe() for _ in range(2)]
    wire.send(ends[0], Done(), [pipes[0][0], pipes[1][0]])
    _, fds = wire.receive(ends[1], Reply)
    assert [os.fstat(fd).st_ino for fd in fds] == [os.fstat(pipe[0]).st_ino for pipe in pipes]
    assert not any(os.get_inheritable(fd) for fd in fds)
    wire.close_all([*fds, *(fd for pipe in pipes for fd in pipe)])


GARBAGE = [
    b"{", b"\xff\xfe", b"null", b"[]", b'{"type":"nothing-of-ours"}', b'{"type":"finished"}{"type":"finished"}',
    b'{"type":"adopt"}', b'{"type":"adopt","bottle":7}', b'{"type":"status","protocol":"one"}',
    b"[" * 100_000, b'{"a":' * 30_000, b'{"type":"adopt","bottle":"\xed\xa0\x80"}', b"1e999999", b"x" * 160_000,
    b'{"type":"adopt","bottle":"one","kinds":["desk"]}',
]  # fmt: skip


@pytest.mark.parametrize("payload", GARBAGE, ids=lambda payload: repr(payload[:24]))
@pytest.mark.parametrize("descriptors", [0, 3])
def test_garbage_is_no_message_and_its_descriptors_are_closed(ends, payload, descriptors):
    before = open_descriptors()
    send_raw(ends[0], payload, descriptors)
    with pytest.raises(wire.WireError) as raised:
        wire.receive(ends[1], Request)
    assert not raised.value.closed
    assert open_descriptors() == before


@pytest.mark.parametrize("descriptors", [17, 100, 253])
def test_more_descriptors_than_any_message_has_are_refused_and_closed(ends, descriptors):
    before = open_descriptors()
    send_raw(ends[0], b'{"type":"finished"}', descriptors)
    with pytest.raises(wire.WireError, match="cut"):
        wire.receive(ends[1], Request)
    assert open_descriptors() == before


def test_a_packet_over_the_limit_is_refused_on_both_sides(ends):
    with pytest.raises(wire.WireError, match="over"):
        wire.send(ends[0], Failed("x" * wire.MAX_MESSAGE_BYTES))
    send_raw(ends[0], b'{"type":"failed","reason":"' + b"x" * wire.MAX_MESSAGE_BYTES + b'"}', 1)
    before = open_descriptors()
    with pytest.raises(wire.WireError, match="cut"):
        wire.receive(ends[1], Reply)
    assert open_descriptors() == before


def test_the_longest_message_fits_the_socket_buffer(ends):
    wire.send(ends[0], Failed("x" * (wire.MAX_MESSAGE_BYTES - 64)))
    assert len(wire.receive(ends[1], Reply)[0].reason) == wire.MAX_MESSAGE_BYTES - 64


def test_an_end_and_an_empty_packet_are_closed(ends):
    ends[0].send(b"")
    with pytest.raises(wire.WireError) as raised:
        wire.receive(ends[1], Reply)
    assert raised.value.closed
    ends[0].close()
    with pytest.raises(wire.WireError) as raised:
        wire.receive(ends[1], Reply)
    assert raised.value.closed
    with pytest.raises(wire.WireError) as raised:
        wire.send(ends[1], Done())
    assert raised.value.closed


def test_a_timeout_and_an_empty_queue_are_the_sockets_own(ends):
    ends[1].settimeout(0.01)
    with pytest.raises(TimeoutError):
        wire.receive(ends[1], Reply)
    ends[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        wire.receive(ends[1], Reply)


@settings(max_examples=150, deadline=None)
@given(
    payload=st.binary(min_size=1, max_size=200)
    | st.builds(lambda kind, body: (f'{{"type":"{kind}",' + body + "}").encode("utf-8", "replace"),
                st.sampled_from(["launch-sidecar", "adopt", "finished", "status", "failed"]), st.text(max_size=60)),
    descriptors=st.integers(0, 20),
)  # fmt: skip
def test_fuzz(payload, descriptors):
    one, other = wire.pair()
    with one, other:
        before = open_descriptors()
        send_raw(one, payload, descriptors)
        try:
            message, fds = wire.receive(other, Request)
        except wire.WireError:
            pass
        else:
            assert isinstance(message, LaunchSidecar | Adopt | Finished | StatusRequest)
            assert len(fds) == descriptors
            wire.close_all(fds)
        assert open_descriptors() == before
