"""A WebSocket through the real proxy: what the upstream received, and what the client got back."""

from __future__ import annotations

import pytest
from websocket_support import (
    ACCEPT,
    HOST,
    KEY,
    WebSocketUpstream,
    accept_of,
    frame,
    handshake,
    opened,
)


def test_messages_go_both_ways(through) -> None:
    """Text and binary, empty and long, and the close frame with its code and words."""
    said: list[str | bytes] = [
        "hello",
        "",
        b"",
        b"\x00\xff" * 3,
        "ä€😀" * 5000,
        bytes(300_000),
        "x" * 200_000,
    ]
    with WebSocketUpstream() as upstream:
        _, client = through(upstream)
        end = opened(client)
        for message in said:
            end.say(message)
            assert end.message() == message
        end.close(4321, "that is all")
        heard = end.until_end()
    assert heard.close == (4321, "that is all")
    assert upstream.heard.messages == said
    assert upstream.heard.close == (4321, "that is all")


def test_the_upstream_gets_a_handshake_of_ours(through) -> None:
    """Our key, version and extensions; the client's credential and fields of the handshake don't go on."""
    policy = f"routes: [{{host: {HOST}, auth_scheme: Bearer, token_env: T}}]\n"
    with WebSocketUpstream() as upstream:
        _, client = through(upstream, policy, tokens={"T": "ours-0123456789"})
        more = [
            ("Authorization", "Bearer theirs"),
            ("Sec-WebSocket-Extensions", "x-theirs; a=1"),
            ("Cookie", "a=b"),
        ]
        opened(client, path="/v1/chat?x=1", more=[*more, ("User-Agent", "curl/8.5.0")]).close()
        assert upstream.heard.close == (1000, "")
        (request,) = upstream.fake.requests
    names = [name for name, _ in request.headers]
    assert (request.method, request.target) == ("GET", "/v1/chat?x=1")
    assert names == [
        "Host", "User-Agent", "Authorization", "Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
        "Sec-WebSocket-Extensions",
    ]  # fmt: skip
    assert request.header("authorization") == "Bearer ours-0123456789"
    assert request.header("sec-websocket-extensions") == "permessage-deflate"
    assert request.header("sec-websocket-key") not in (None, KEY)
    assert accept_of(KEY) == ACCEPT


@pytest.mark.parametrize("packs", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("extension", ["", "permessage-deflate"])
def test_each_leg_has_its_own_compression(through, packs: bool, extension: str) -> None:
    """Whatever one leg has agreed on, messages arrive; with compression the upstream's bytes are fewer, and windows
    go over from one message to the next."""
    message = "compressible " * 2000
    with WebSocketUpstream(extension=extension) as upstream:
        _, client = through(upstream)
        end = opened(client, packs=packs)
        for _ in range(3):
            end.say(message)
            assert end.message() == message
        end.close()
        end.until_end()
        assert upstream.heard.messages == [message] * 3
        assert (len(upstream.fake.raw) < len(message)) is bool(extension)


@pytest.mark.parametrize("packs", [False, True], ids=["plain", "packed"])
def test_fragments_at_every_byte(through, packs: bool) -> None:
    """A message in fragments of one byte, a ping between any two, amid characters: it arrives whole, in one frame."""
    message = "ein Wört für €".encode()
    with WebSocketUpstream() as upstream:
        _, client = through(upstream)
        end = opened(client, packs=packs)
        for index, octet in enumerate(message):
            end.send(frame(0 if index else 1, bytes([octet]), fin=index == len(message) - 1))
            end.send(frame(9, b"p%d" % index))
        assert end.message() == message.decode()
        end.close()
        pongs = [event[1] for event in end.until_end().events if event[0] == "pong"]
    assert pongs == [b"p%d" % index for index in range(len(message))]
    assert upstream.heard.messages == [message.decode()]
    assert {event[1] for event in upstream.heard.events if event[0] == "ping"} == {b""}


def test_a_stream_that_is_cut_anywhere_reads_the_same(through) -> None:
    """The client's bytes one by one: the same messages arrive."""
    with WebSocketUpstream() as upstream:
        _, client = through(upstream)
        end = opened(client)
        data = (
            frame(1, b"one")
            + frame(2, b"tw", fin=False)
            + frame(9)
            + frame(0, b"o" * 200)
            + frame(8, b"\x03\xe8")
        )
        for octet in data:
            end.send(bytes([octet]))
        end.until_end()
    assert upstream.heard.messages == ["one", b"tw" + b"o" * 200]
    assert upstream.heard.close == (1000, "")


def test_a_refused_upgrade(through) -> None:
    """Elsewhere than on a provider's host: 403; nothing arrives."""
    with WebSocketUpstream() as upstream:
        policy = f"routes: [{{host: {HOST}, matches: [{{paths: [{{value: /open}}]}}]}}]\n"
        _, client = through(upstream, policy)
        client.send(handshake(path="/closed"))
        answer = client.answer()
        assert (answer.status, answer.reason) == (
            403,
            "egress: match: the route does not open this method and path",
        )
        assert upstream.fake.requests == []
