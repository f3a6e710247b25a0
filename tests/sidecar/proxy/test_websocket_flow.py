"""How a WebSocket ends and waits: close frames, losses, reloads, idle time, slow readers."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest
from websocket_support import HOST, POLICY, QUICK, End, WebSocketUpstream, frame, listen, opened

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, ""), (1001, "bye"), (3000, "ä"), (4999, "x" * 123), (1011, "oops"), (None, "")],
)
def test_close_codes_go_both_ways(through, code: int | None, reason: str) -> None:
    """The client's to the upstream, its answer to the client; also where none is said; and the other way round."""
    seen = (1005, "") if code is None else (code, reason)

    def answer(end: End) -> None:
        event = end.next()
        assert event == ("close", *seen)
        end.close(4000, "answered")

    with WebSocketUpstream(answer) as upstream:
        _, client = through(upstream)
        end = opened(client)
        end.close(code, reason or None)
        assert end.until_end().close == (4000, "answered")

    def begin(end: End) -> None:
        end.close(code, reason or None)
        end.until_end()

    with WebSocketUpstream(begin) as upstream:
        _, client = through(upstream)
        end = opened(client)
        assert end.next() == ("close", *seen)
        end.close(4001, "too")
        end.until_end()
        assert upstream.heard.close == (4001, "too")


def test_what_is_said_after_a_close_frame_arrives(through) -> None:
    """The side that did not close may finish what it says."""

    def answer(end: End) -> None:
        assert end.next()[0] == "close"
        end.say("one more")
        end.close(1000)

    with WebSocketUpstream(answer) as upstream:
        _, client = through(upstream)
        end = opened(client)
        end.close(1000)
        assert end.until_end().messages == ["one more"]


def test_an_upstream_that_never_closes(through) -> None:
    """After ``websocket_close_s`` both connections end all the same."""
    with WebSocketUpstream(lambda end: [end.next() for _ in range(2)]) as upstream:
        proxy, client = through(upstream, limits=replace(QUICK, websocket_close_s=0.1))
        end = opened(client)
        end.close(1000)
        assert end.until_end().close == (1001, "idle")
        assert upstream.ends[0].heard.events[0] == ("close", 1000, "")
    assert proxy.server.active == 0


def test_a_client_that_goes_is_told_to_the_upstream(through) -> None:
    with WebSocketUpstream(listen) as upstream:
        proxy, client = through(upstream)
        end = opened(client)
        end.say("half", fin=False)
        end.send(frame(9))
        assert end.next()[0] == "pong"
        client.sock.shutdown(socket.SHUT_RDWR)
        assert upstream.heard.close == (1001, "")
        assert upstream.heard.messages == []
    assert proxy.server.active == 0


@pytest.mark.parametrize("how", ["cut", "reset", "close"])
def test_an_upstream_that_goes_leaves_no_close_frame(through, how: str) -> None:
    """The client sees what it would see without us: an end that nobody announced."""

    def play(end: End) -> None:
        end.say("before")
        assert end.next() == ("text", "go")
        getattr(end.connection, how)()

    with WebSocketUpstream(play) as upstream:
        proxy, client = through(upstream)
        end = opened(client)
        assert end.message() == "before"
        end.say("go")
        assert end.until_end().close is None
    assert proxy.server.active == 0


def test_a_route_that_is_revoked_closes_at_once(through) -> None:
    """1008 to the client; a reload that leaves the route closes nothing."""
    with WebSocketUpstream() as upstream:
        proxy, client = through(upstream)
        end = opened(client)
        end.say("a")
        assert end.message() == "a"
        proxy.reload(POLICY + "log: 1\n")
        end.say("b")
        assert end.message() == "b"
        proxy.reload(f"routes: [{{host: {HOST}, matches: [{{paths: [{{value: /other}}]}}]}}]\n")
        end.send(frame(1, b"c"))
        heard = end.until_end()
        assert heard.close == (1008, "egress: route: no longer allowed")
        assert upstream.heard.messages == ["a", "b"]
        assert upstream.heard.close == (1001, "")


def test_draining_ends_it(through) -> None:
    with WebSocketUpstream(listen) as upstream:
        proxy, client = through(upstream)
        end = opened(client)
        proxy.call(proxy.server.drain())
        assert end.until_end().close == (1001, "")
        assert upstream.heard.close == (1001, "")


def test_idle_time(through) -> None:
    """Without a frame from either side both are told 1001."""
    with WebSocketUpstream(listen) as upstream:
        _, client = through(upstream, limits=replace(QUICK, websocket_idle_s=0.2))
        assert opened(client).until_end().close == (1001, "idle")
        assert upstream.heard.close == (1001, "")


def test_pings_are_answered_here(through) -> None:
    """Each with its payload, by us; the other side gets one without, whose pong goes no further."""

    def play(end: End) -> None:
        end.send(frame(9, b"of the server", mask=False))
        for _ in range(3):
            end.next()
        end.send(frame(10, b"unasked", mask=False))
        end.close(1000)
        end.until_end()

    with WebSocketUpstream(play) as upstream:
        _, client = through(upstream)
        end = opened(client)
        end.send(frame(9, b"of the client") + frame(10, b"unasked"))
        end.say("text")
        heard = [end.next() for _ in range(3)]
        end.close(1000)
        end.until_end()
    assert set(heard) == {("ping", b""), ("pong", b"of the client"), ("close", 1000, "")}
    events = upstream.heard.events
    assert {("ping", b""), ("pong", b"of the server"), ("text", "text")} == set(events[:3])


def slow(end: End) -> None:
    """Read nothing until told, then all."""
    end.gate.wait(10)
    end.until_end()


def test_a_slow_upstream_stops_the_client(through) -> None:
    """Only so much is taken ahead for it; all arrives in the end."""
    message = bytes(MIB)
    with WebSocketUpstream(slow) as upstream:
        proxy, client = through(upstream)
        end = opened(client)
        sent = send_until_stuck(client, frame(2, message))
        assert sent < 40
        upstream.ends[0].gate.set()
        client.sock.settimeout(10)
        assert proxy.server.active == 1
        client.close()
        heard = upstream.heard
    assert len(heard.messages) >= sent - 1
    assert end is not None


def send_until_stuck(client, data: bytes) -> int:
    """How many times *data* was taken before nothing was for a while."""
    client.sock.settimeout(1.0)
    for count in range(400):
        try:
            client.sock.sendall(data)
        except (TimeoutError, OSError):
            return count
    return 400


def test_a_slow_client_stops_the_upstream(through) -> None:
    """The upstream can send only so much ahead; pings that it adds are answered with one pong."""
    sent = []
    over = threading.Event()

    def play(end: End) -> None:
        try:
            for _ in range(400):
                end.say(bytes(MIB))
                end.send(frame(9, b"p", mask=False))
                sent.append(1)
        except OSError:
            pass
        over.set()

    with WebSocketUpstream(play) as upstream:
        _, client = through(upstream)
        end = opened(client)
        before = -1
        while len(sent) > before:
            before = len(sent)
            time.sleep(0.5)
        assert before < 40
        received = 0
        while received < before:
            received += end.next()[0] == "binary"
        client.close()
        over.wait(10)
