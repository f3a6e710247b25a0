"""Invariant: however the client's bytes are cut into pieces, verdicts and upstream bytes are the same.

The real connection and exchange, over transports in memory: plain, within TLS records, and what an upstream
answers.
"""

from __future__ import annotations

from itertools import pairwise

import amb_memory
import pytest
from amb_arena import POLICY as ARENA_POLICY
from amb_clients import Answer, Said, read_with_h11
from amb_corpus import mutations, sample
from amb_draft import HOST, Case, Mode
from amb_memory import Seen, play_tls
from amb_replies import replies
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.egress.codec import load_policy
from bot_bottle.egress.match import compile_policy
from bot_bottle.sidecar.proxy.limits import Limits

LIMITS = Limits(head_bytes=600, request_line_bytes=120, held_bytes=1 << 20)
POLICY = compile_policy(load_policy("routes:\n  - host: a.example\n    matches: [{paths: [{value: /ok}]}]\n"))


def play(pieces: list[bytes]) -> Seen:
    return amb_memory.play(POLICY, LIMITS, pieces)


def request(target: bytes, *lines: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    head = [method + b" http://a.example" + target + b" HTTP/1.1", b"Host: a.example", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


ALLOWED = request(b"/ok/a", b"X-A: b")
DENIED = request(b"/no")
LENGTH = request(b"/ok", b"Content-Length: 11", method=b"POST", body=b"hello world")
CHUNKED = request(
    b"/ok",
    b"Transfer-Encoding: chunked",
    method=b"PUT",
    body=b"5\r\nhello\r\nb\r\n world 1234\r\n0\r\nT: x\r\n\r\n",
)
DENIED_BODY = request(b"/no", b"Content-Length: 30", method=b"POST", body=b"GET /ok HTTP/1.1\r\nHost: a.exam")
BAD_CHUNK = request(
    b"/ok", b"Transfer-Encoding: chunked", method=b"PUT", body=b"5\r\nhello\r\n5;x\r\nworld\r\n0\r\n\r\n"
)
STREAMS = {
    "allowed": ALLOWED,
    "denied": DENIED,
    "length": LENGTH,
    "chunked": CHUNKED,
    "allowed, denied, allowed": ALLOWED + DENIED + ALLOWED,
    "denied with a body, allowed": DENIED_BODY + ALLOWED,
    "length, chunked, length": LENGTH + CHUNKED + LENGTH,
    "chunked, denied": CHUNKED + DENIED,
    "bad chunk, allowed": BAD_CHUNK + ALLOWED,
    "long line": request(b"/ok/" + b"a" * 200) + ALLOWED,
    "long head": request(b"/ok", b"X: " + b"a" * 700) + ALLOWED,
    "long line and head": request(b"/ok/" + b"a" * 200, b"X: " + b"a" * 700) + ALLOWED,
    "bare LF, long head": ALLOWED[:-4] + b"\nX: " + b"a" * 700 + b"\r\n\r\n",
    "LF LF": b"GET http://a.example/ok HTTP/1.1\nHost: a.example\n\n" + ALLOWED,
    "CR LF LF": ALLOWED[:-2] + b"\n" + ALLOWED,
    "length and chunked": request(b"/ok", b"Content-Length: 3", b"Transfer-Encoding: chunked") + ALLOWED,
    "obs-fold": request(b"/ok", b"X: a\r\n b") + ALLOWED,
    "nonsense": b"\x00\x01\x02\r\n\r\n" + ALLOWED,
    "empty line": b"\r\n" + ALLOWED,
}


def cut_at(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(edges)]


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


@pytest.mark.parametrize("name", STREAMS)
def test_one_byte_at_a_time_is_the_same_as_all_at_once(name):
    data = STREAMS[name]
    assert play(bytewise(data)) == play([data])


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 3000), max_size=8))
def test_any_split_is_the_same_as_all_at_once(name, cuts):
    data = STREAMS[name]
    assert play(cut_at(data, cuts)) == play([data])


def test_the_streams_do_what_their_names_say():
    """The comparison is worth something: some pass, some are refused."""
    statuses = {
        name: [int(part[:3]) for part in play([data]).said.split(b"HTTP/1.1 ")[1:]]
        for name, data in STREAMS.items()
    }
    assert statuses["allowed, denied, allowed"] == [200, 403, 200]
    assert statuses["denied with a body, allowed"] == [403, 200]
    assert statuses["length, chunked, length"] == [200, 200, 200]
    assert statuses["long line and head"] == [414]
    assert statuses["long head"] == [431]
    assert statuses["LF LF"] == statuses["nonsense"] == statuses["bad chunk, allowed"] == [403]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_noise_never_reaches_an_upstream(noise, cut):
    """Random bytes, whole or in two pieces: nothing is dialled."""
    for pieces in ([noise], [noise[:cut], noise[cut:]]):
        assert play([piece for piece in pieces if piece]).upstreams == ()


ARENA = compile_policy(load_policy(ARENA_POLICY))
WIDE = Limits()
CASES = {
    f"{number}: {case.kind}, {case.name}": case
    for number, case in enumerate(sample(600))
    if len(case.sent) < 1200
}
"""hostile ones of every kind; without those that are only long"""
FEW = sorted(CASES)[::8]


def arena(case: Case, pieces: list[bytes]) -> Seen:
    """*pieces* of a case on the way that it takes; TLS has tests of its own."""
    if case.mode is not Mode.DIRECT:
        where = case.connect or HOST + b":80"
        pieces = [b"CONNECT " + where + b" HTTP/1.1\r\nHost: " + where + b"\r\n\r\n", *pieces]
    return amb_memory.play(ARENA, WIDE, pieces)


CHUNKS = [case for case in mutations() if case.kind == "chunk" and len(case.sent) < 300][::8]


@pytest.mark.parametrize("case", CHUNKS, ids=lambda case: case.name)
def test_what_is_said_of_a_bad_chunk_does_not_depend_on_pieces(case):
    """The reason included: it is a part of what the client sees."""
    assert arena(case, bytewise(case.sent)) == arena(case, [case.sent])


@pytest.mark.parametrize("name", FEW)
def test_hostile_bytes_one_at_a_time_are_the_same_as_all_at_once(name):
    case = CASES[name]
    assert arena(case, bytewise(case.sent)) == arena(case, [case.sent])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.lists(st.integers(0, 1200), max_size=6))
def test_any_split_of_hostile_bytes_is_the_same(name, cuts):
    case = CASES[name]
    assert arena(case, cut_at(case.sent, cuts)) == arena(case, [case.sent])


def test_the_hostile_cases_pass_and_fail():
    """The comparison is worth something."""
    passed = [bool(arena(case, [case.sent]).upstreams) for case in CASES.values()]
    assert 50 < sum(passed) < len(passed) - 50


def in_tls(stream: bytes, records: list[bytes], cuts: list[int]) -> Seen:
    return play_tls(POLICY, LIMITS, "a.example", records, lambda data: cut_at(data, cuts))


def for_tls(name: str) -> bytes:
    return STREAMS[name].replace(b" http://a.example/", b" /")


@pytest.mark.parametrize("name", STREAMS)
def test_one_record_a_byte_is_the_same_as_one_for_all(name):
    data = for_tls(name)
    assert in_tls(data, bytewise(data), []) == in_tls(data, [data], [])


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(st.integers(0, 3000), max_size=5),
    st.lists(st.integers(0, 5000), max_size=8),
)
def test_any_records_in_any_pieces_are_the_same(name, records, cuts):
    """Splits between records, within them, and several records in one piece."""
    data = for_tls(name)
    assert in_tls(data, cut_at(data, records), cuts) == in_tls(data, [data], [])


@pytest.mark.parametrize("name", ["allowed", "length, chunked, length", "bad chunk, allowed"])
def test_tls_bytes_one_at_a_time_are_the_same(name):
    data = for_tls(name)
    assert in_tls(data, [data], list(range(5000))) == in_tls(data, [data], [])


def test_tls_streams_pass_and_fail_like_plain_ones():
    for name, data in STREAMS.items():
        if name not in (
            "nonsense",
            "empty line",
            "long line",
            "long line and head",
        ):  # begin or end otherwise
            plain, secure = play([data]), in_tls(b"", [for_tls(name)], [])
            assert [part[:3] for part in secure.said.split(b"HTTP/1.1 ")] == [
                part[:3] for part in plain.said.split(b"HTTP/1.1 ")
            ], name
            assert secure.upstreams == plain.upstreams, name


REPLIES = [reply for reply in replies()[::5] if reply.method == b"GET" and 0 < len(reply.data) < 1200]


def answer_of(pieces: list[bytes]) -> Answer | None:
    """The first answer that the client gets, when it is whole and not ours."""
    seen = amb_memory.play(POLICY, WIDE, [ALLOWED], pieces)
    answers = read_with_h11(Said(b"GET", seen.said)).answers
    return answers[0] if answers and answers[0].whole and not answers[0].is_ours else None


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(range(len(REPLIES))), st.lists(st.integers(0, 1200), max_size=6))
def test_any_split_of_a_response_gives_the_same_answer(number, cuts):
    """Or none: what is found to be bad late was begun, and is cut; early, it is refused."""
    data = REPLIES[number].data
    assert answer_of(cut_at(data, cuts)) == answer_of([data])


def test_responses_pass_and_fail():
    passed = [answer_of([reply.data]) is not None for reply in REPLIES]
    assert 20 < sum(passed) < len(passed) - 20
