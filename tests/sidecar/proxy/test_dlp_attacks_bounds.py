"""One flow that asks for too much stops neither others nor itself for ever, and who is refused again and again is
only refused (threats D6, G8, G11).

Read from what clients and upstream received.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import threading
import uuid

import pytest
from attack_containers import zipped
from attack_support import KIB, SECRETS, VARIABLE, attacking, words
from dlp_support import BLOCK, HOSTS, OFF, POLICY, get, post

from bot_bottle.testing.upstream import FakeUpstream

POLLS = 150


@pytest.fixture
def attack(run_proxy, to):
    yield from attacking(run_proxy, to)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_polling_with_a_secret_is_no_spiral(attack, secret):
    """Each poll that holds it is refused, each that does not passes, to the last (pipelock#266)."""
    for number in range(POLLS):
        answer, seen = attack.body(BLOCK, f"poll {number}: {secret}".encode())
        assert (answer.status, seen) == (403, [])
        answer, seen = attack.body(BLOCK, f"poll {number}".encode())
        assert (answer.status, len(seen)) == (200, 1)


def test_polling_with_identifiers_passes(attack):
    """Sessions, digests, caches: what clients send with each poll adds up to no secret (dlp.md §2, rule 4)."""
    rng = random.Random(5)
    for number in range(POLLS):
        attack.later_s -= 3600
        body = {
            "prompt_cache_key": str(uuid.UUID(bytes=rng.randbytes(16), version=4)),
            "previous_response_id": f"resp_{rng.randbytes(24).hex()}",
            "signature": base64.b64encode(rng.randbytes(300)).decode(),
            "sha": rng.randbytes(20).hex(),
            "integrity": "sha512-" + base64.b64encode(rng.randbytes(64)).decode(),
            "n": number,
        }
        answer, seen = attack.body(BLOCK, json.dumps(body).encode())
        assert (answer.status, len(seen)) == (200, 1), answer.body


BOMBS = {
    "gzip, declared": (lambda: gzip.compress(bytes(60_000_000)), (("Content-Encoding", "gzip"),)),
    "gzip, not declared": (lambda: gzip.compress(bytes(60_000_000)), ()),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(bytes(200_000_000))), ()),
    "gzip in base64": (lambda: base64.b64encode(gzip.compress(bytes(60_000_000))), ()),
    "zip": (lambda: zipped(bytes(60_000_000)), ()),
    "a thousand of them": (lambda: gzip.compress(bytes(1_000_000)) * 1000, ()),
    "marks of packed data": (lambda: b"PK\x03\x04\x1f\x8b\x08\x00\x28\xb5\x2f\xfd" * 40_000, ()),
    "base64 in base64": (lambda: _nested(12), ()),
    "backslashes": (lambda: b"\\" * 1_000_000 + b"u0041", ()),
    "percent signs": (lambda: b"%25" * 400_000 + b"41", ()),
    "starts of credentials": (lambda: b"ghp_AKIAsk-ant-api03-" * 40_000, ()),
    "zero-width characters": (lambda: "a\u200b".encode() * 200_000, ()),
}


def _nested(times: int) -> bytes:
    data = b"nothing in here"
    for _ in range(times):
        data = base64.b64encode(data)
    return data


@pytest.mark.parametrize(("make", "fields"), BOMBS.values(), ids=BOMBS)
def test_bombs(attack, make, fields):
    """Judged in bounded work: an answer comes, whichever it is, and the next request passes. A secret behind the
    bomb does not arrive."""
    bomb = make()
    answer, _ = attack.body(BLOCK, bomb, fields)
    assert answer.status in (200, 403)
    if not fields:
        answer, seen = attack.body(BLOCK, bomb + b"\n" + VARIABLE.encode() + b"\n")
        assert (answer.status, seen) == (403, [])
    attack.leave(BLOCK)
    attack.arrives(BLOCK, b"the next one")


def test_streams_without_end(run_proxy, to):
    """An event that never ends, and a body that never ends: others are served meanwhile, and the client gets what
    there is of the stream."""
    over = threading.Event()

    def respond(request, connection):
        if "endless" not in request.target:
            connection.reply(200, b"hello")
            return
        connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        piece = b"data: " + words(64 * KIB).replace(b"\n", b" ")
        while not over.wait(0.001):
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))

    with FakeUpstream(responder=respond) as upstream:
        ways = to(upstream, *((host, 443) for host in HOSTS))
        proxy = run_proxy(POLICY, upstream=upstream, tokens={"EGRESS_TOKEN_0": VARIABLE}, connect_to=ways)
        endless = proxy.tls(BLOCK)
        endless.send(get(BLOCK, "/endless"))
        assert endless.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        upload = proxy.tls(BLOCK)
        upload.send(
            post(BLOCK, b"", "/upload", chunked=0).head.replace(
                b"Content-Length: 0", b"Transfer-Encoding: chunked"
            )
        )
        read = 0
        for number in range(20):
            read += len(endless.read_some())
            upload.send(b"10000\r\n" + words(64 * KIB) + b"\r\n")
            other = proxy.tls((BLOCK, OFF)[number % 2])
            other.send(get((BLOCK, OFF)[number % 2], "/other"))
            assert other.answer().status == 200
            other.close()
        assert read > 0
        over.set()
