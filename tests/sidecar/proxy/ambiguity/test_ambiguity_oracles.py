"""The judge of the other tests can say no: known tricks make its parsers differ, and a proxy that is broken on
purpose is found out."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from amb_arena import Outcome, play, play_all
from amb_corpus import mutations, sample
from amb_draft import CHUNKED, GET, POST, SMUGGLED, Case, Mode, made
from amb_judge import judge, nonces, read_all
from amb_memory import constant_nonce
from amb_nginx import find_nginx
from amb_node import find_node

from bot_bottle.sidecar.proxy import exchange, http1
from bot_bottle.sidecar.proxy.http1 import Body, Framing

pytestmark = [
    pytest.mark.skipif(find_nginx() is None, reason="nginx is not installed (scripts/setup.sh test)"),
    pytest.mark.skipif(find_node() is None, reason="node is not installed (scripts/setup.sh test)"),
]

HEAD = b"POST /ok/p HTTP/1.1\r\nHost: amb.example\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
TRICKS = {
    "length and coding": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "coding and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKS,
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
    "a list of lengths": HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
    "a sign": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "coding with a tail": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKS,
    "space before the colon": HEAD + b"Content-Length : 5\r\n\r\nhello",
    "underscore": HEAD + b"Content_Length: 5\r\nContent-Length: 0\r\n\r\nGET /no HTTP/1.1\r\nHost : x\r\n\r\n",
    "bare LF": b"GET /ok/p HTTP/1.1\nHost: amb.example\n\n",
    "bare CR": b"GET /ok/p HTTP/1.1\r\nHost: amb.example\r\nX: a\rb\r\n\r\n",
    "obs-fold": b"GET /ok/p HTTP/1.1\r\nHost: amb.example\r\n X: y\r\n\r\n",
    "two Hosts": b"GET /ok/p HTTP/1.1\r\nHost: amb.example\r\nHost: evil.example\r\n\r\n",
    "no Host": b"GET /ok/p HTTP/1.1\r\n\r\n",
    "absolute form": b"GET http://evil.example/ok/p HTTP/1.1\r\nHost: amb.example\r\n\r\n",
    "chunk extension with LF": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
    "chunk size 0x": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "chunk without its end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    "trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: evil.example\r\n\r\n",
    "NUL": b"GET /ok/p HTTP/1.1\r\nHost: amb.example\r\nX: a\0b\r\n\r\n",
    "upgrade": b"GET /ok/p HTTP/1.1\r\nHost: amb.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "old version with chunks": HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "space in the target": b"GET /ok/p q HTTP/1.1\r\nHost: amb.example\r\n\r\n",
    "no version": b"GET /ok/p\r\n\r\n",
}  # fmt: skip


def outcome_of(case: Case) -> Outcome:
    (outcome,) = play_all([case], play)
    return outcome


def test_every_known_trick_is_noticed(tmp_path: Path):
    """Given to the three as it is, each is read in two ways or refused by one."""
    readings = read_all(TRICKS.values(), tmp_path)
    missed = [
        name for name, trick in TRICKS.items() if name != "absolute form" and not readings[trick].problems()
    ]
    assert missed == []


def test_a_trick_that_all_read_alike_is_not_what_was_judged(tmp_path: Path):
    """As if the proxy had passed each on for the harmless request that it resembles."""
    case = made("plain", "get", replace(GET, tail=b"", target=b"/ok/p"), Mode.TUNNEL)
    outcome = outcome_of(case)
    assert outcome.received
    readings = read_all([*TRICKS.values(), *outcome.received], tmp_path)
    assert judge(outcome, case.sent, case.mode, readings) == []
    for name, trick in TRICKS.items():
        assert judge(replace(outcome, received=(trick,)), case.sent, case.mode, readings), name


BOTH = b"\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "a smuggled request behind": lambda data: data + SMUGGLED,
    "one in front": lambda data: SMUGGLED + data,
    "the same twice": lambda data: data * 2,
    "another body": lambda data: data.replace(b"hello", b"hullo"),
    "another host": lambda data: data.replace(b"amb.example", b"evl.example"),
    "another path": lambda data: data.replace(b"/ok/p", b"/no/p"),
    "the path in another form": lambda data: data.replace(b"/ok/p", b"/ok/./p"),
    "another method": lambda data: data.replace(b"POST", b"PATCH"),
    "a field less": lambda data: data.replace(b"X-A: b\r\n", b""),
    "a field more": lambda data: data.replace(b"X-A: b\r\n", b"X-A: b\r\nX-A: b\r\n"),
    "another value": lambda data: data.replace(b"X-A: b\r\n", b"X-A: c\r\n"),
    "a trailer": lambda data: data.replace(b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n"),
    "both framings": lambda data: data.replace(b"\r\n\r\n", BOTH, 1),
}  # fmt: skip


@pytest.mark.parametrize("base", ["length", "chunked"])
def test_tampering_on_the_way_is_noticed(tmp_path: Path, base: str):
    """What was judged is compared, not only what the three read."""
    draft = replace(POST if base == "length" else replace(CHUNKED, method=b"POST"), tail=b"")
    case = made("plain", base, draft, Mode.DIRECT)
    outcome = outcome_of(case)
    (data,) = outcome.received
    streams = {name: change(data) for name, change in TAMPERED.items()}
    changed = {name: stream for name, stream in streams.items() if stream != data}
    assert len(changed) >= len(TAMPERED) - 1  # a body by length has no trailer
    readings = read_all([data, *changed.values()], tmp_path)
    assert judge(outcome, case.sent, case.mode, readings) == []
    for name, stream in changed.items():
        assert judge(replace(outcome, received=(stream,)), case.sent, case.mode, readings), name


CLIENTS_KEY = b"AAAAAAAAAAAAAAAAAAAAAA=="
WEBSOCKET = (
    replace(GET, tail=b"")
    .with_line(b"Connection: Upgrade")
    .with_line(b"Upgrade: websocket")
    .with_line(b"Sec-WebSocket-Key: " + CLIENTS_KEY)
    .with_line(b"Sec-WebSocket-Version: 13")
)
KEY_LINE = re.compile(rb"Sec-WebSocket-Key: (\S{24})\r\n")


def with_key(key: bytes) -> Callable[[bytes], bytes]:
    return lambda data: KEY_LINE.sub(b"Sec-WebSocket-Key: " + key + b"\r\n", data)


TAMPERED_HANDSHAKES: dict[str, Callable[[bytes], bytes]] = {
    "the client's key": with_key(CLIENTS_KEY),
    "a key of fewer bytes": with_key(b64encode(bytes(range(15)))),
    "a key in another form": with_key(b"AAECAwQFBgcICQoLDA0OD/=="),
    "no base64": with_key(b"-" * 24),
    "an empty key": with_key(b""),
    "no key": lambda data: KEY_LINE.sub(b"", data),
    "two keys": lambda data: KEY_LINE.sub(lambda found: found[0] * 2, data),
    "another protocol": lambda data: data.replace(b"Upgrade: websocket", b"Upgrade: h2c"),
    "no Connection": lambda data: data.replace(b"Connection: Upgrade\r\n", b""),
    "another version": lambda data: data.replace(b"Version: 13", b"Version: 8"),
    "another extension": lambda data: data.replace(b"permessage-deflate", b"x-webkit-deflate-frame"),
    "a request behind": lambda data: data + SMUGGLED,
    "bytes behind": lambda data: data + b"\x81\x00",
}  # fmt: skip


def test_tampering_with_a_handshake_is_noticed(tmp_path: Path):
    """A key that is a new one each time is looked at all the same."""
    case = made("plain", "websocket", WEBSOCKET, Mode.TLS)
    first, second = outcome_of(case), outcome_of(case)
    (data,), (again,) = first.received, second.received
    streams = {name: change(data) for name, change in TAMPERED_HANDSHAKES.items()}
    readings = read_all([data, again, *streams.values()], tmp_path)
    assert judge(first, case.sent, case.mode, readings) == judge(second, case.sent, case.mode, readings) == []
    assert len(set(nonces([first, second], readings))) == 2
    for name, stream in streams.items():
        assert stream != data, name
        assert judge(replace(first, received=(stream,)), case.sent, case.mode, readings), name


def test_a_play_in_memory_shows_a_key_that_is_not_the_proxys_own():
    """Two plays of one handshake are the same; with the client's key, or a bad one, they are not."""
    one, other = (b"GET /ok HTTP/1.1\r\nSec-WebSocket-Key: " + b64encode(bytes([n]) * 16) for n in (1, 2))
    assert constant_nonce(one, b"") == constant_nonce(other, b"") != one
    assert constant_nonce(one, one) == one
    assert constant_nonce(one[:-4], b"") == one[:-4]


def lenient_framing(lengths: list[bytes], encodings: list[bytes], version: bytes) -> Framing | None:
    """As many parsers do it: the first length, whatever else there is."""
    if lengths and lengths[0].isdigit():
        return Framing(Body.LENGTH, int(lengths[0]))
    return Framing(Body.CHUNKED) if any(b"chunked" in one for one in encodings) else None


def verbatim_head(real: Callable[..., bytes]) -> Callable[..., bytes]:
    """A proxy that keeps the client's framing beside its own."""
    return lambda *args: real(*args)[:-2] + b"Content-Length: 3\r\n\r\n"


@pytest.mark.parametrize(
    "fault", ["a head with a second length", "a chunk that is too short", "a lenient writer"]
)
def test_a_broken_proxy_is_found_out(tmp_path: Path, fault: str):
    """The same cases, the same judge, a fault in the product."""
    cases = [case for case in sample(400) if case.kind in ("sequence", "connection", "field", "expect")]
    real_head, real_chunk = exchange.request_head, exchange.chunk
    broken = {
        "a head with a second length": mock.patch.object(exchange, "request_head", verbatim_head(real_head)),
        "a chunk that is too short": mock.patch.object(
            exchange, "chunk", lambda data: real_chunk(data[:-1] or data)
        ),
        "a lenient writer": mock.patch.object(
            exchange, "request_head", lambda *args: real_head(*args).replace(b"X-A: b", b"X-A: b\n Y: z")
        ),
    }[fault]

    with broken:
        outcomes = play_all(cases, play)
    readings = read_all([stream for outcome in outcomes for stream in outcome.received], tmp_path)
    found = sum(
        bool(judge(outcome, case.sent, case.mode, readings))
        for case, outcome in zip(cases, outcomes, strict=True)
    )
    print(f"\n{fault}: noticed in {found} of {len(cases)} cases")
    assert found >= 5


@pytest.mark.slow
def test_lenience_would_let_requests_be_smuggled(tmp_path: Path):
    """The cases are hostile: with a parser that takes the first length that it finds, they get through to the
    judge as differences."""
    cases = [case for case in mutations() if case.kind in ("length", "coding")][::2]

    with mock.patch.object(http1, "_framing", lenient_framing):
        outcomes = play_all(cases, play)
    forwarded = sum(bool(outcome.received) for outcome in outcomes)
    strict = play_all(cases, play)
    ours = sum(bool(outcome.received) for outcome in strict)
    print(f"\n{forwarded} of {len(cases)} forwarded with a lenient parser, {ours} with ours")
    assert forwarded > 2 * ours


@pytest.mark.slow
def test_most_refused_inputs_would_have_been_ambiguous(tmp_path: Path):
    """Passed on as they came, a large part of what is refused is read in two ways, or refused, by the three."""
    kinds = ("length", "coding", "chunk", "control", "line end", "fold", "field")
    cases = [case for case in mutations() if case.kind in kinds and case.mode is not Mode.DIRECT][::2]
    streams = [case.sent for case in cases]
    readings = read_all(streams, tmp_path)
    differ = sum(bool(readings[stream].problems()) for stream in streams)
    print(f"\n{differ} of {len(streams)} hostile inputs would not have been read alike")
    assert differ >= len(streams) // 2
