"""What is found on a route that blocks goes nowhere: read from what the upstream received.

Each attack is sent as well to a route without detectors, where it arrives (ruling 70).
"""

from __future__ import annotations

import base64
import gzip

import brotli
import pytest
import zstandard
from dlp_support import BLOCK, HOSTS, OFF, OWN, POLICY, SLOT, SLOT_VALUE, SUPERVISE, TOKEN, get, post

from bot_bottle.testing.upstream import FakeUpstream

KIB = 1024
FILLER = b"The quick brown fox jumps over the lazy dog; nothing to be seen in here. "


@pytest.fixture
def upstream():
    """A request that was cut is what is wanted here; nothing else may go wrong."""
    with FakeUpstream() as fake:
        yield fake
    assert [failure for failure in fake.failures if not failure.endswith(("was cut", "reset by peer"))] == []


@pytest.fixture
def proxy(run_proxy, upstream, to):
    tokens = {SLOT: SLOT_VALUE}
    return run_proxy(
        POLICY, upstream=upstream, tokens=tokens, connect_to=to(upstream, *((host, 443) for host in HOSTS))
    )


def _in_head(host: str, place: str, value: str) -> bytes:
    if place == "path":
        return get(host, f"/g/{value}/x")
    if place == "query":
        return get(host, f"/g?key={value}&b=1")
    if place == "field":
        return get(host, fields=(("X-Note", f"see {value}"),))
    return get(host, fields=((f"X-{value}", "1"),))


@pytest.mark.parametrize("place", ["path", "query", "field", "field name"])
@pytest.mark.parametrize("value", [TOKEN, SLOT_VALUE], ids=["pattern", "known"])
def test_a_secret_in_the_head(proxy, upstream, place, value):
    """Refused with a reason of the scanner's; no connection is made for it. Without detectors it arrives."""
    client = proxy.tls(BLOCK)
    client.send(_in_head(BLOCK, place, value))
    answer = client.answer()
    assert answer.status == 403
    assert answer.reason.startswith("egress DLP: "), answer.reason
    assert answer.headers["x-bot-bottle"] == "blocked"
    assert value.encode() not in answer.head + answer.body
    assert upstream.accepted == 0
    control = proxy.tls(OFF)
    control.send(_in_head(OFF, place, value))
    assert control.answer().status == 200
    assert value.encode() in upstream.raw
    assert value not in proxy.log_path.read_text()


@pytest.mark.parametrize("chunked", [0, 7, 64 * KIB])
@pytest.mark.parametrize("before", [0, 100 * KIB, 200 * KIB])
def test_a_secret_within_the_window(proxy, upstream, before, chunked):
    """Nothing goes before all of a body within the window was judged; the connection can be used again."""
    body = FILLER * (before // len(FILLER)) + TOKEN.encode() + FILLER
    client = proxy.tls(BLOCK)
    client.send(post(BLOCK, body, chunked=chunked).data)
    answer = client.answer()
    assert (answer.status, answer.json()["error"]) == (403, "egress_blocked")
    assert upstream.accepted == 0
    client.send(get(BLOCK))
    assert client.answer().status == 200
    control = proxy.tls(OFF)
    control.send(post(OFF, body, chunked=chunked).data)
    assert control.answer().status == 200
    assert upstream.requests[-1].body == body


@pytest.mark.parametrize("chunked", [0, 16 * KIB])
@pytest.mark.parametrize("after", [0, 300 * KIB])
def test_a_secret_behind_the_window(proxy, upstream, after, chunked):
    """The upstream gets the begin of a request, never the secret, and never an end."""
    begin = FILLER * (700 * KIB // len(FILLER))
    body = begin + TOKEN.encode() + FILLER * (after // len(FILLER))
    client = proxy.tls(BLOCK)
    client.send(post(BLOCK, body, chunked=chunked).data)
    answer = client.answer()
    assert answer.status == 403
    assert upstream.requests == []
    assert TOKEN.encode() not in upstream.raw
    assert len(upstream.raw) < len(begin) + 16 * KIB
    assert not upstream.raw.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("size", [1, 255 * KIB, 256 * KIB, 257 * KIB, 5000 * KIB])
@pytest.mark.parametrize("host", [BLOCK, SUPERVISE, OWN])
def test_what_is_clean_arrives_as_it_was(proxy, upstream, host, size):
    """Whatever its size, framed by length or in chunks."""
    body = (FILLER * (size // len(FILLER) + 1))[:size]
    client = proxy.tls(host)
    for chunked in (0, 10 * KIB):
        client.send(post(host, body, chunked=chunked).data)
        assert client.answer().status == 200
        assert upstream.requests[-1].body == body


def _codings() -> dict[str, object]:
    return {
        "gzip": lambda data: gzip.compress(data, mtime=0),
        "br": brotli.compress,
        "zstd": zstandard.ZstdCompressor().compress,
    }


@pytest.mark.parametrize("coding", _codings())
@pytest.mark.parametrize("size", [1 * KIB, 900 * KIB])
def test_encoded_bodies_are_read(proxy, upstream, coding, size):
    """A secret in an encoded body is found; a clean one arrives as it was encoded."""
    encode = _codings()[coding]
    noise = "".join(f"{number:x} fox {number * 7} " for number in range(size // 12)).encode()
    fields = (("Content-Encoding", coding),)
    client = proxy.tls(BLOCK)
    client.send(post(BLOCK, encode(noise), fields=fields).data)
    assert client.answer().status == 200
    assert upstream.requests[-1].body == encode(noise)
    bad = encode(noise + TOKEN.encode() + b" end")
    client.send(post(BLOCK, bad, fields=fields).data)
    assert client.answer().status == 403
    assert len(upstream.requests) == 1
    control = proxy.tls(OFF)
    control.send(post(OFF, bad, fields=fields).data)
    assert control.answer().status == 200
    assert upstream.requests[-1].body == bad


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("compress", b"\x1f\x9d\x90abc"),
        ("gzip, exi", gzip.compress(b"hello")),
        ("gzip", b"no gzip at all"),
        ("gzip", gzip.compress(b"hello")[:-6]),
        ("gzip", gzip.compress(b"\0" * 60_000_000)),
        ("br", brotli.compress(b"hello") + TOKEN.encode()),
    ],
    ids=["unknown", "unknown beneath", "broken", "cut", "bomb", "something behind"],
)
def test_what_can_not_be_read_is_refused(proxy, upstream, coding, body):
    """On a route with detectors; without, it is none of the scanner's business."""
    fields = (("Content-Encoding", coding),)
    client = proxy.tls(BLOCK)
    client.send(post(BLOCK, body, fields=fields).data)
    answer = client.answer()
    assert answer.status == 403
    assert "can't be read" in answer.reason
    assert upstream.requests == []
    control = proxy.tls(OFF)
    control.send(post(OFF, body, fields=fields).data)
    assert control.answer().status == 200
    assert upstream.requests[-1].body == body


@pytest.mark.parametrize(
    "target",
    ["/g?x=a%0d%0aX-Admin:%201", "/g/%0D%0aX", "/g?x=1%250d%250aa:b"],
    ids=["query", "path", "twice"],
)
def test_hidden_line_breaks(proxy, upstream, target):
    """A structural finding: refused whatever the detectors are; nobody is asked."""
    for host in (BLOCK, SUPERVISE, OFF):
        client = proxy.tls(host)
        client.send(get(host, target))
        answer = client.answer()
        assert answer.status == 403, host
        assert "line break" in answer.reason
    assert upstream.requests == []


def test_a_line_break_in_a_body_is_text(proxy, upstream):
    """CRLF is looked for in the request's line and fields only."""
    client = proxy.tls(BLOCK)
    client.send(post(BLOCK, b"a%0d%0aX-Admin: 1\r\nHost: b\r\n").data)
    assert client.answer().status == 200


def test_a_refusal_on_a_providers_host_has_its_apis_shape(run_proxy, upstream, to):
    """400 and the API's ``error`` object, which its client shows after one try."""
    policy = f"routes:\n  - host: {OWN}\n    provider: claude\n    dlp: {{outbound_on_match: block}}\n"
    proxy = run_proxy(policy, upstream=upstream, connect_to=to(upstream, (OWN, 443)))
    client = proxy.tls(OWN)
    client.send(post(OWN, TOKEN.encode()).data)
    answer = client.answer()
    assert answer.status == 400
    assert answer.json()["type"] == "error"
    assert "egress DLP" in answer.json()["error"]["message"]
    assert upstream.requests == []


def test_a_pipelined_request_behind_a_refused_one_is_answered(proxy, upstream):
    """What was read along with the refused body is not lost."""
    client = proxy.tls(BLOCK)
    client.send(post(BLOCK, TOKEN.encode()).data + get(BLOCK, "/next"))
    assert client.answer().status == 403
    assert client.answer().status == 200
    assert [request.target for request in upstream.requests] == ["/next"]


def test_the_body_is_asked_for_once_its_head_has_passed(proxy, upstream):
    """``Expect: 100-continue``: 100 for a clean head, the refusal for another."""
    expect = (("Expect", "100-continue"),)
    client = proxy.tls(BLOCK)
    sent = post(BLOCK, b"hello", fields=expect)
    client.send(sent.head)
    assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    client.send(sent.body)
    assert client.answer().status == 200
    client.send(post(BLOCK, b"hello", path=f"/{TOKEN}", fields=expect).head)
    assert client.answer().status == 403


def _beside(coding: str, hidden: bytes) -> bytes:
    """FILLER in *coding*, with *hidden* in a place that no decoder gives out."""
    packed = gzip.compress(FILLER, mtime=0)
    if coding == "zstd":  # RFC 8878 section 3.1.2
        return b"\x50\x2a\x4d\x18" + len(hidden).to_bytes(4, "little") + hidden + zstandard.compress(FILLER)
    if coding == "gzip, extra":  # RFC 1952 section 2.3.1
        flag, field = 0x04, len(hidden).to_bytes(2, "little") + hidden
    elif coding == "gzip, name":
        flag, field = 0x08, hidden + b"\0"
    else:
        flag, field = 0x10, hidden + b"\0"
    return packed[:3] + bytes([packed[3] | flag]) + packed[4:10] + field + packed[10:]


@pytest.mark.parametrize("coding", ["gzip, comment", "gzip, extra", "gzip, name", "zstd"])
@pytest.mark.parametrize("outer", ["", "br"])
@pytest.mark.parametrize("layers", [0, 1, 3, 5])
def test_what_stands_beside_a_packed_body_goes_nowhere(proxy, upstream, coding, outer, layers):
    """In the head of a gzip member, in a skippable frame; also when another coding lies over it."""
    hidden = f"words before it {TOKEN} words behind it".encode()
    for _ in range(layers):
        hidden = base64.b64encode(hidden)
    body = _beside(coding, hidden)
    name = coding.partition(",")[0]
    if outer:
        body, name = brotli.compress(body), f"{name}, {outer}"
    fields = (("Content-Encoding", name),)
    client = proxy.tls(BLOCK)
    client.send(post(BLOCK, body, fields=fields).data)
    assert client.answer().status == 403
    assert upstream.accepted == 0
    control = proxy.tls(OFF)
    control.send(post(OFF, body, fields=fields).data)
    assert control.answer().status == 200
    assert body in upstream.raw
