"""What breaks the protocol, on either leg, ends both with the right close code, and nothing of it goes on."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import pytest
from websocket_support import (
    HOST,
    KEY,
    POLICY,
    QUICK,
    End,
    WebSocketUpstream,
    accept_of,
    frame,
    handshake,
    listen,
    opened,
)

from bot_bottle.testing.upstream import FakeUpstream

SMALL = replace(QUICK, websocket_message_bytes=1024 * 1024)


def packed(data: bytes) -> bytes:
    """As permessage-deflate has it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def close(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!H", code) + reason


LONG_HEAD = struct.pack("!BBQ", 0x82, 0xFF, 5)
"""a length of eight bytes where one would do"""

BREAKS = {
    "reserved bit 1": (frame(1, b"x", rsv=4), 1002),
    "reserved bit 2": (frame(1, b"x", rsv=2), 1002),
    "reserved bit 3": (frame(1, b"x", rsv=1), 1002),
    "reserved bit of a control frame": (frame(9, b"x", rsv=4), 1002),
    **{f"opcode {code}": (frame(code, b"x"), 1002) for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "control frame of 126 bytes": (frame(9, b"x" * 126), 1002),
    "close frame of 126 bytes": (frame(8, close(1000, b"x" * 124)), 1002),
    "control frame in fragments": (frame(9, b"x", fin=False), 1002),
    "close frame of one byte": (frame(8, b"\x03"), 1002),
    "a length in too many bytes": (LONG_HEAD + b"abcd12345", 1002),
    "a length with its first bit": (struct.pack("!BBQ", 0x82, 0xFF, 1 << 63) + b"abcd", 1002),
    "text of bad UTF-8": (frame(1, b"\xff"), 1007),
    "text that ends amid a character": (frame(1, "€".encode()[:2]), 1007),
    "surrogate in UTF-8": (frame(1, b"\xed\xa0\x80"), 1007),
    "overlong UTF-8": (frame(1, b"\xc0\xaf"), 1007),
    "bad UTF-8 in a later fragment": (frame(1, b"a", fin=False) + frame(0, b"\xff"), 1007),
    "continuation of nothing": (frame(0, b"x"), 1002),
    "a message within another": (frame(1, b"a", fin=False) + frame(1, b"b"), 1002),
    "binary within text": (frame(1, b"a", fin=False) + frame(2, b"b", fin=False), 1002),
    "bad UTF-8 in the words of a close": (frame(8, close(1000, b"\xff")), 1007),
    **{f"close code {code}": (frame(8, close(code)), 1002)
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
    "not packed, though it says so": (frame(1, b"x", rsv=4), 1002),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_client_that_breaks_the_protocol(through, name: str) -> None:
    """It is told why; the upstream got what came before, nothing else, and 1001."""
    data, code = BREAKS[name]
    with WebSocketUpstream(listen) as upstream:
        _, client = through(upstream)
        end = opened(client)
        end.say("before")
        end.send(data + frame(1, b"behind"))
        heard = end.until_end()
    assert heard.close is not None and heard.close[0] == code, heard.events
    assert upstream.heard.messages == ["before"]
    assert upstream.heard.close == (1001, "")


def unmasked(data: bytes) -> bytes:
    """The frames of :data:`BREAKS` as a server writes them."""
    out, at = b"", 0
    while at + 2 <= len(data):
        first, size = data[at], data[at + 1] & 0x7F
        if not data[at + 1] & 0x80:
            return out + data[at:]
        extended = {126: 2, 127: 8}.get(size, 0)
        head = data[at + 2 : at + 2 + extended]
        length = int.from_bytes(head, "big") if extended else size
        key = data[at + 2 + extended : at + 6 + extended]
        body = data[at + 6 + extended : at + 6 + extended + length]
        out += bytes([first, size]) + head + bytes(octet ^ key[index % 4] for index, octet in enumerate(body))
        at += 6 + extended + length
    return out


@pytest.mark.parametrize("name", BREAKS)
def test_a_server_that_breaks_the_protocol(through, name: str) -> None:
    data, code = BREAKS[name]

    def play(end: End) -> None:
        end.say("before")
        end.send(unmasked(data + frame(1, b"behind")))
        end.until_end()

    with WebSocketUpstream(play) as upstream:
        _, client = through(upstream)
        end = opened(client)
        assert end.message() == "before"
        heard = end.until_end()
    assert heard.messages == ["before"]
    assert heard.close == (1001, ""), heard.events
    assert upstream.heard.close is not None and upstream.heard.close[0] == code


def test_masks_belong_to_the_client(through) -> None:
    """A frame of the client's without a mask, one of the server's with one: 1002."""
    with WebSocketUpstream(listen) as upstream:
        _, client = through(upstream)
        end = opened(client)
        end.send(frame(1, b"x", mask=False))
        assert end.until_end().close[0] == 1002
        assert upstream.heard.messages == []

    def play(end: End) -> None:
        end.send(frame(1, b"x"))
        end.until_end()

    with WebSocketUpstream(play) as upstream:
        _, client = through(upstream)
        assert opened(client).until_end().close == (1001, "")
        assert upstream.heard.close[0] == 1002


BAD_PACKED = {
    "garbage": (frame(1, b"\xff\xff\xff\xff", rsv=4), 1007),
    "a reserved bit in a continuation": (frame(1, packed(b"a"), rsv=4, fin=False) + frame(0, b"x", rsv=4), 1002),
    "a packed control frame": (frame(9, packed(b"a"), rsv=4), 1002),
    "text that is not UTF-8 once unpacked": (frame(1, packed(b"\xff"), rsv=4), 1007),
    "a bomb": (frame(2, packed(bytes(64 * 1024 * 1024)), rsv=4), 1009),
    "a bomb in fragments": (
        frame(2, packed(bytes(64 * 1024 * 1024))[:2000], rsv=4, fin=False)
        + frame(0, packed(bytes(64 * 1024 * 1024))[2000:]),
        1009,
    ),
    "final blocks without end": (frame(2, b"\x03\x00" * 5000, rsv=4), 1007),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PACKED)
def test_packed_badly(through, name: str) -> None:
    """With compression on the client's leg: a bomb is refused before it has grown."""
    data, code = BAD_PACKED[name]
    with WebSocketUpstream(listen) as upstream:
        _, client = through(upstream)
        end = opened(client, packs=True)
        end.send(data)
        heard = end.until_end()
    assert heard.close is not None and heard.close[0] == code, heard.events
    assert upstream.heard.messages == []


def test_a_bomb_of_the_upstreams(through) -> None:
    def play(end: End) -> None:
        end.send(unmasked(frame(2, packed(bytes(64 * 1024 * 1024)), rsv=4)))
        end.until_end()

    with WebSocketUpstream(play, extension="permessage-deflate") as upstream:
        _, client = through(upstream)
        heard = opened(client).until_end()
        assert (heard.messages, heard.close) == ([], (1001, ""))
        assert upstream.heard.close[0] == 1009


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_message_that_is_too_big(through, pieces: int) -> None:
    """1009; the upstream never sees the message's end. One that is as big as may be passes."""
    size = SMALL.websocket_message_bytes
    with WebSocketUpstream(listen) as upstream:
        _, client = through(upstream, limits=SMALL)
        end = opened(client)
        end.say(bytes(size))
        for index in range(pieces):
            end.say(bytes((size + pieces) // pieces), fin=index == pieces - 1)
        assert end.until_end().close == (1009, "a message that is too big, or inflates to too much")
        assert upstream.heard.messages == [bytes(size)]


BAD_HANDSHAKES = {
    "no key": ("Sec-WebSocket-Key: " + KEY, ""),
    "two keys": ("Sec-WebSocket-Key: " + KEY, f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Key: {KEY}"),
    "a short key": (KEY, "AAAA"),
    "a key of 17 bytes": (KEY, "AAAAAAAAAAAAAAAAAAAAAAA="),
    "a key that is no base64": (KEY, "!" * 24),
    "a URL-safe key": (KEY, "_-_-_-_-_-_-_-_-_-_-_A=="),
    "no version": ("Sec-WebSocket-Version: 13\r\n", ""),
    "version 8": ("Version: 13", "Version: 8"),
    "versions": ("Version: 13", "Version: 13, 8"),
    "two versions": ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13"),
    "no Connection": ("Connection: Upgrade\r\n", ""),
    "Connection without it": ("Connection: Upgrade", "Connection: keep-alive"),
    "two upgrades": ("Upgrade: websocket", "Upgrade: websocket, websocket"),
    "another version of the upgrade": ("Upgrade: websocket", "Upgrade: websocket/13"),
    "h2c beside it": ("Upgrade: websocket", "Upgrade: websocket, h2c"),
    "POST": ("GET /chat", "POST /chat"),
    "HTTP/1.0": ("HTTP/1.1", "HTTP/1.0"),
    "a body": ("Upgrade: websocket", "Upgrade: websocket\r\nContent-Length: 5"),
    "chunks": ("Upgrade: websocket", "Upgrade: websocket\r\nTransfer-Encoding: chunked"),
    "Expect": ("Upgrade: websocket", "Upgrade: websocket\r\nExpect: 100-continue"),
    "no upgrade": ("Upgrade: websocket\r\n", ""),
    "an answer's field": ("Upgrade: websocket", f"Upgrade: websocket\r\nSec-WebSocket-Accept: {KEY}"),
    "an unknown field": ("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Extra: 1"),
    "an underscore": ("Upgrade: websocket", f"Upgrade: websocket\r\nSec_WebSocket_Key: {KEY}"),
    "a subprotocol twice": ("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Protocol: a, a"),
    "no subprotocol": ("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Protocol: a,,b"),
    "an extension that is none": (
        "Upgrade: websocket",
        "Upgrade: websocket\r\nSec-WebSocket-Extensions: a b",
    ),
}


@pytest.mark.parametrize("name", BAD_HANDSHAKES)
def test_a_handshake_that_is_none(through, name: str) -> None:
    """It reaches no upstream, and gets 403."""
    old, new = BAD_HANDSHAKES[name]
    data = handshake().decode().replace(old, new)
    assert old in handshake().decode()
    with FakeUpstream() as fake:
        upstream = type("", (), {"fake": fake})
        _, client = through(upstream, POLICY)
        client.send(data.encode())
        assert client.answer(method="GET").status == 403
        assert fake.accepted == 0


UPGRADED = "HTTP/1.1 101 Switching Protocols\r\n"
BAD_ANSWERS = {
    "no accept value": "Upgrade: websocket\r\nConnection: Upgrade\r\n",
    "another accept value": "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n",
    "two accept values": "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Accept: {accept}\r\n" * 2,
    "no Upgrade": "Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n",
    "another Upgrade": "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n",
    "no Connection": "Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n",
    "Connection: close": "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Accept: {accept}\r\n",
    "an extension of its own": "{good}Sec-WebSocket-Extensions: x-own\r\n",
    "two extensions": "{good}Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n",
    "a window that nobody offered": "{good}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n",
    "a window of 7 bits": "{good}Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7\r\n",
    "a subprotocol of its own": "{good}Sec-WebSocket-Protocol: own\r\n",
    "a body": "{good}Content-Length: 5\r\n",
    "chunks": "{good}Transfer-Encoding: chunked\r\n",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_that_is_none(through, name: str) -> None:
    """502; nothing that follows it goes either way."""
    good = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"

    def answer(request, connection) -> None:
        accept = accept_of(request.header("sec-websocket-key"))
        head = BAD_ANSWERS[name].replace("{good}", good).replace("{accept}", accept)
        connection.send((UPGRADED + head + "\r\n").encode() + frame(1, b"secret", mask=False))
        connection.read()

    with FakeUpstream(answer) as fake:
        _, client = through(type("", (), {"fake": fake}))
        client.send(handshake())
        answered = client.answer()
        assert (answered.status, answered.json()["error"]) == (502, "upstream_failed")
        assert b"secret" not in answered.body


def test_an_upstream_that_says_no(through) -> None:
    """Any other answer than 101 is passed on as it is, and the connection goes on."""
    with FakeUpstream(lambda request, connection: connection.reply(426, b"no", [("X-A", "b")])) as fake:
        _, client = through(type("", (), {"fake": fake}))
        client.send(handshake())
        answered = client.answer()
        assert (answered.status, answered.body, answered.headers["x-a"]) == (426, b"no", "b")
        client.send(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert client.answer().status == 426
        assert len(fake.requests) == 2


def test_a_provider_s_refusal_is_426(run_proxy, to) -> None:
    """In the API's shape, by which Codex goes over to POST (ruling 5)."""
    host = "api.openai.com"
    auth = "auth_scheme: Bearer, token_env: T"
    policy = f"routes: [{{host: {host}, provider: codex, {auth}, matches: [{{methods: [POST]}}]}}]\n"
    with WebSocketUpstream() as upstream:
        proxy = run_proxy(
            policy, upstream=upstream.fake, connect_to=to(upstream.fake, (host, 443)), tokens={"T": "t" * 20}
        )
        client = proxy.tls(host)
        client.send(handshake(host, "/v1/responses"))
        answer = client.answer()
        assert answer.status == 426
        assert answer.json()["error"]["code"] == "egress_blocked"
        assert upstream.fake.accepted == 0


def test_windows_survive_a_ping_between_fragments(through) -> None:
    """Where the library would lose its place: a packed message in fragments, pings between them."""
    whole = packed(b"hello " * 50)
    with WebSocketUpstream() as upstream:
        _, client = through(upstream)
        end = opened(client, packs=True)
        for _ in range(3):
            end.send(frame(1, whole[:5], rsv=4, fin=False) + frame(9, b"p") + frame(0, whole[5:]))
            assert end.message() == "hello " * 50
            whole = packed(b"hello " * 50)
            end.send(frame(1, packed(b"x"), rsv=4))
            assert end.message() == "x"
        end.close()
        end.until_end()
    assert len(upstream.heard.messages) == 6
