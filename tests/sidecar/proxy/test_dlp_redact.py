"""What is found on a route that redacts is replaced, and what arrives is a request in good order."""

from __future__ import annotations

import gzip
import json

import brotli
import pytest
import zstandard
from dlp_support import HOSTS, OFF, OWN, POLICY, REDACT, SLOT, SLOT_VALUE, TOKEN, get, post, token

from bot_bottle.sidecar.proxy.limits import Limits

MASK = "********"
MIB = 1024 * 1024


@pytest.fixture
def proxy(run_proxy, upstream, to):
    tokens = {SLOT: SLOT_VALUE}
    return run_proxy(
        POLICY, upstream=upstream, tokens=tokens, connect_to=to(upstream, *((host, 443) for host in HOSTS))
    )


def test_the_head(proxy, upstream):
    """Path, query and the values of fields; the host never (dlp.md §3)."""
    client = proxy.tls(REDACT)
    client.send(get(REDACT, f"/g/{TOKEN}/x?k={TOKEN}&b=1", (("X-Note", f"see {SLOT_VALUE}!"), ("X-B", "2"))))
    assert client.answer().status == 200
    (seen,) = upstream.requests
    assert seen.target == f"/g/{MASK}/x?k={MASK}&b=1"
    assert seen.header("x-note") == f"see {MASK}!"
    assert seen.header("x-b") == "2"
    assert TOKEN.encode() not in upstream.raw
    client.send(get(OFF.replace(OFF, REDACT), "/plain"))
    assert client.answer().status == 200


@pytest.mark.parametrize("chunked", [0, 5])
def test_json_stays_json(proxy, upstream, chunked):
    """Only the value goes; length or chunks are those of what is sent."""
    body = json.dumps({"a": f"x {TOKEN} y", "b": [SLOT_VALUE, 1, None], "c": "ünï"}).encode()
    client = proxy.tls(REDACT)
    client.send(post(REDACT, body, chunked=chunked, fields=(("Content-Type", "application/json"),)).data)
    assert client.answer().status == 200
    (seen,) = upstream.requests
    assert json.loads(seen.body) == {"a": f"x {MASK} y", "b": [MASK, 1, None], "c": "ünï"}
    assert seen.all("content-length") == [str(len(seen.body))]
    assert seen.header("transfer-encoding") is None
    client.send(post(REDACT, b"next").data)
    assert client.answer().status == 200
    assert upstream.requests[-1].body == b"next"


@pytest.mark.parametrize(
    ("coding", "encode", "decode"),
    [
        ("gzip", gzip.compress, gzip.decompress),
        ("br", brotli.compress, brotli.decompress),
        (
            "zstd",
            zstandard.ZstdCompressor().compress,
            lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
        ),
    ],
    ids=["gzip", "br", "zstd"],
)
def test_an_encoded_body_is_encoded_anew(proxy, upstream, coding, encode, decode):
    """The coding is kept, what was said of the old bytes is not."""
    body = encode(b"begin " + TOKEN.encode() + b" end")
    client = proxy.tls(REDACT)
    client.send(
        post(REDACT, body, fields=(("Content-Encoding", coding), ("Content-Digest", "sha-256=:x:"))).data
    )
    assert client.answer().status == 200
    (seen,) = upstream.requests
    assert decode(seen.body) == f"begin {MASK} end".encode()
    assert seen.header("content-encoding") == coding
    assert seen.header("content-digest") is None


def test_several_secrets_in_a_large_body(proxy, upstream):
    """Held whole, up to 16 MiB."""
    filler = b"nothing in here, " * 60_000
    body = TOKEN.encode() + b" " + filler + token(5).encode() + b" " + filler * 2 + SLOT_VALUE.encode()
    client = proxy.tls(REDACT)
    client.send(post(REDACT, body).data)
    assert client.answer().status == 200
    (seen,) = upstream.requests
    mask = MASK.encode()
    assert seen.body == mask + b" " + filler + mask + b" " + filler * 2 + mask


def test_a_larger_body_is_blocked_if_it_matches(run_proxy, upstream, to):
    """What can't be held can't be redacted: it goes on as it clears, and what is found ends it."""
    limits = Limits(sweep_s=0.02, window_bytes=16 * 1024, held_body_bytes=MIB)
    proxy = run_proxy(POLICY, upstream=upstream, limits=limits, tokens={SLOT: SLOT_VALUE},
                      connect_to=to(upstream, (REDACT, 443)))  # fmt: skip
    client = proxy.tls(REDACT)
    clean = b"clean " * (2 * MIB // 6)
    client.send(post(REDACT, clean).data)
    assert client.answer().status == 200
    assert upstream.requests[-1].body == clean
    for chunked in (0, 8192):
        client = proxy.tls(REDACT)
        client.send(post(REDACT, clean + TOKEN.encode(), chunked=chunked).data)
        answer = client.answer()
        assert answer.status == 403
        assert "could not be redacted" in answer.json()["hint"]
    assert len(upstream.requests) == 1
    assert TOKEN.encode() not in upstream.raw
    upstream.stop()
    upstream.failures.clear()


def test_line_breaks_are_taken_out(proxy, upstream):
    """CRLF in path and query (ruling 13)."""
    client = proxy.tls(REDACT)
    client.send(get(REDACT, "/g?x=a%0d%0aX-Admin:%201"))
    assert client.answer().status == 200
    assert upstream.requests[0].target == "/g?x=aX-Admin:%201"


def test_what_is_left_is_judged_by_the_routes_rules_again(run_proxy, upstream, to):
    """After the redaction the path is another one: it has to be open, too (ruling 1)."""
    policy = f"""
routes:
  - host: {REDACT}
    dlp: {{outbound_on_match: redact}}
    matches: [{{paths: [{{type: regex, value: "/g/[A-Za-z0-9_]+"}}]}}]
"""
    proxy = run_proxy(policy, upstream=upstream, connect_to=to(upstream, (REDACT, 443)))
    client = proxy.tls(REDACT)
    client.send(get(REDACT, f"/g/{TOKEN}"))
    answer = client.answer()
    assert (answer.status, answer.reason) == (
        403,
        "egress: match: the route does not open this method and path",
    )
    client.send(get(REDACT, "/g/fine"))
    assert client.answer().status == 200
    assert [seen.target for seen in upstream.requests] == ["/g/fine"]


def test_provider_routes_redact_by_default(proxy, upstream):
    """The conversation goes on without the secret; the injected credential is not touched."""
    client = proxy.tls(OWN)
    client.send(post(OWN, f"my key is {TOKEN}".encode()).data)
    assert client.answer().status == 200
    (seen,) = upstream.requests
    assert seen.body == f"my key is {MASK}".encode()
    assert seen.header("authorization") == f"Bearer {SLOT_VALUE}"


def test_it_is_recorded_without_the_secret(proxy, upstream):
    """``egress_redacted`` names rule and place."""
    client = proxy.tls(REDACT)
    client.send(post(REDACT, TOKEN.encode(), path=f"/p/{SLOT_VALUE}").data)
    assert client.answer().status == 200
    records = [record for record in proxy.records() if record["event"] == "egress_redacted"]
    assert {record["where"] for record in records} == {"head", "body"}
    text = proxy.log_path.read_text()
    assert TOKEN not in text and SLOT_VALUE not in text
