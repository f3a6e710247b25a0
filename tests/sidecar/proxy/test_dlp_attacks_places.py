"""A secret in a place of a request where nobody looks, in parts, behind decoys, or over a border of the scanner's
blocks, is found (threats G3 to G6).

Read from what the upstream received; on a route without detectors each arrives.
"""

from __future__ import annotations

import base64
import gzip
import json
import random

import brotli
import pytest
from attack_containers import NOTE, deflated
from attack_support import KIB, SECRETS, VARIABLE, attacking, words
from dlp_support import BLOCK, OFF, get, post, token

from bot_bottle.dlp.scan import BLOCK_BYTES

PARTS = (
    b"--edge\r\nContent-Disposition: form-data; name=%b; filename=%b\r\n%b: %b\r\n\r\nhello\r\n--edge--\r\n"
)
MULTIPART = (("Content-Type", "multipart/form-data; boundary=edge"),)
JSON = (("Content-Type", "application/json"),)


@pytest.fixture(scope="module")
def attack(run_shared_proxy, to):
    yield from attacking(run_shared_proxy, to)


def _graphql(secret: str) -> bytes:
    query = "query ($q: String!) { search(q: $q) { id } }"
    return json.dumps({"query": query, "operationName": "S", "variables": {"q": {"deep": [secret]}}}).encode()


def _tool_call(secret: str) -> bytes:
    arguments = {"name": "note", "arguments": {"text": json.dumps({"inner": json.dumps({"s": secret})})}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}).encode()


BODIES = {
    "name of a part": (lambda secret: PARTS % (secret.encode(), b"a", b"X-A", b"b"), MULTIPART),
    "field of a part": (lambda secret: PARTS % (b"f", b"a", b"X-A", secret.encode()), MULTIPART),
    "name of a part's field": (lambda secret: PARTS % (b"f", b"a", secret.encode(), b"b"), MULTIPART),
    "boundary": (
        lambda secret: b"--" + secret.encode() + b"\r\n\r\nhello\r\n--" + secret.encode() + b"--\r\n",
        (),
    ),
    "before the first part": (
        lambda secret: secret.encode() + b"\r\n" + PARTS % (b"f", b"a", b"X", b"b"),
        MULTIPART,
    ),
    "behind the last part": (lambda secret: PARTS % (b"f", b"a", b"X", b"b") + secret.encode(), MULTIPART),
    "part in base64": (
        lambda secret: (
            PARTS % (b"f", b"a", b"Content-Transfer-Encoding", b"base64")
            + base64.encodebytes(NOTE + secret.encode())
        ),
        MULTIPART,
    ),
    "variables of GraphQL": (_graphql, JSON),
    "arguments of a tool": (_tool_call, JSON),
    "line of JSON lines": (lambda secret: b'{"a":1}\n' * 50 + json.dumps({"b": secret}).encode(), JSON),
    "JSON with a mark": (lambda secret: b"\xef\xbb\xbf" + json.dumps({"b": secret}).encode(), JSON),
    "JSON in UTF-16": (lambda secret: json.dumps({"b": secret}).encode("utf-16"), JSON),
    "XML comment": (lambda secret: f"<a><!-- {secret} --><b/></a>".encode(), ()),
    "XML in CDATA": (lambda secret: f"<a><![CDATA[{secret}]]></a>".encode(), ()),
    "wanted reference of git": (
        lambda secret: (
            f"0014command=ls-refs\n0001{len(secret) + 25:04x}ref-prefix refs/heads/{secret}0000".encode()
        ),
        (("Content-Type", "application/x-www-form-urlencoded"),),
    ),
    "labelled as a video": (
        lambda secret: bytes(300) + secret.encode() + bytes(300),
        (("Content-Type", "video/mp4"),),
    ),
    "labelled as JSON": (lambda secret: b"\x89\0\xff" + secret.encode() + b"\xfe\0", JSON),
    "no type": (lambda secret: secret.encode(), ()),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize(("write", "fields"), BODIES.values(), ids=BODIES)
def test_places_in_a_body(attack, write, fields, secret):
    attack.is_stopped(write(secret), fields)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize(
    "name",
    ["User-Agent", "Referer", "If-None-Match", "Range", "Accept", "X-Forwarded-For", "Cookie", "TE", "Via"],
)
def test_fields(attack, name, secret):
    """Fields that no server needs for the answer; not forwarded, or found."""
    received = []
    for host in (OFF, BLOCK):
        answer, seen = attack.send(host, lambda path, host=host: get(host, path, ((name, f'"{secret}"'),)))
        received.append((answer.status, any(secret in value for one in seen for _, value in one.headers)))
    assert received[1] in ((403, False), (200, False))
    if name not in ("TE", "Via", "X-Forwarded-For"):  # of one hop, or of a proxy; ours are our own
        assert received[0] == (200, True)


CODED = {
    "gzip, br": lambda data: brotli.compress(gzip.compress(data, mtime=0)),
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data, mtime=0), mtime=0),
    "deflate": deflated,
    "identity": lambda data: data,
    "x-gzip": lambda data: gzip.compress(data, mtime=0),
    "GZIP": lambda data: gzip.compress(data, mtime=0),
}


@pytest.mark.parametrize("coding", CODED)
def test_codings_on_codings(attack, coding):
    for secret in SECRETS.values():
        for inner in (
            secret.encode(),
            base64.b64encode(secret.encode()),
            gzip.compress(secret.encode(), mtime=0),
        ):
            attack.is_stopped(CODED[coding](NOTE + inner), (("Content-Encoding", coding),))


def _pieces(size: int) -> list[str]:
    return [VARIABLE[at : at + size] for at in range(0, len(VARIABLE), size)]


def _decoys(seed: int, count: int) -> list[str]:
    """Like pieces of it, and none."""
    rng = random.Random(seed)
    return ["".join(rng.choices(VARIABLE, k=8)) for _ in range(count)]


SPLIT = {
    "halves in two fields": json.dumps({"a": VARIABLE[:20], "b": VARIABLE[20:]}),
    "eights in a list": json.dumps(_pieces(8)),
    "eights, keys between": json.dumps(
        {f"key_{at}_{piece[:1]}x": piece for at, piece in enumerate(_pieces(8))}
    ),
    "eights among decoys": json.dumps(
        [word for at, piece in enumerate(_pieces(8)) for word in (piece, *_decoys(at, 3))]
    ),
    "tens out of order": json.dumps([_pieces(10)[at] for at in (2, 0, 3, 1)]),
    "overlapping twelves": json.dumps([VARIABLE[at : at + 12] for at in range(0, 29, 4)]),
    "single characters": json.dumps(list(VARIABLE)),
    "single characters in lines": "\n".join(VARIABLE),
    "concatenated in code": " + ".join(f'"{piece}"' for piece in _pieces(6)),
}


@pytest.mark.parametrize("body", SPLIT.values(), ids=SPLIT)
def test_in_parts_of_one_body(attack, body):
    attack.is_stopped(body.encode())


@pytest.mark.parametrize("size", [8, 10, 14])
def test_in_parts_over_requests(attack, size):
    """One part a request, each on a connection of its own, in path, field and body by turns: more than half does
    not arrive (dlp.md §2, rule 4). To a host without detectors all of it does."""
    for host in (OFF, BLOCK):
        arrived = ""
        for number, piece in enumerate(_pieces(size)):
            attack.later_s -= 3600  # all within a minute
            attack.leave(host)
            answer, seen = attack.send(
                host, lambda path, n=number, p=piece, h=host: _one_of_three(n, h, path, p)
            )
            if answer.status == 200 and seen:
                arrived += piece
        assert (arrived == VARIABLE) if host == OFF else (len(arrived) <= 0.6 * len(VARIABLE)), arrived


def _one_of_three(number: int, host: str, path: str, piece: str):
    if number % 3 == 0:
        return get(host, f"{path}/{piece}")
    if number % 3 == 1:
        return get(host, path, (("X-Part", piece),))
    return post(host, b"part: " + piece.encode(), path)


def test_parts_are_forgotten(attack):
    """Ten minutes later the rest may go: nobody's prose is held against him for ever."""
    for piece in _pieces(10):
        answer, _ = attack.body(BLOCK, piece.encode())
        assert answer.status == 200


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_behind_decoys(attack, secret):
    """However many come first: placeholders, packed things, other values that look random (threats G5)."""
    rng = random.Random(9)
    decoys = {
        "placeholders": b" ".join(
            b"ghp_" + b"x" * 36 + b" sk-ant-api03-your-key AKIAIOSFODNN7EXAMPLE" for _ in range(300)
        ),
        "packed": b" ".join(base64.b64encode(gzip.compress(rng.randbytes(90), mtime=0)) for _ in range(400)),
        "digests": b"\n".join(b"digest " + rng.randbytes(20).hex().encode() for _ in range(500)),
        "escapes": b"".join(b"%%%02x" % byte for byte in rng.randbytes(20_000)),
        "starts": b"ghp_ " * 5000 + VARIABLE[:5].encode() * 3000,
        "zip marks": b"PK\x03\x04" * 3000,
    }
    for name, text in decoys.items():
        if name != "zip marks":  # refused as what can't be read
            attack.arrives(BLOCK, text)
        body = text + b"\n" + base64.b64encode(b"it is " + secret.encode() + b" as said") + b"\n" + text
        attack.is_stopped(body)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("border", [BLOCK_BYTES, 2 * BLOCK_BYTES, 256 * KIB + 16 * KIB, 4 * BLOCK_BYTES])
def test_over_every_border(attack, border, secret):
    """Of a block, and of the window that is held back: wherever it is cut, as it is and in base64 (threats G6)."""
    forms = (secret.encode(), base64.b64encode(b"user:" + secret.encode()))
    control = words(border - 20) + b" " + secret.encode() + b" "
    attack.arrives(OFF, control)
    for form in forms:
        for before in range(border - len(form) - 3, border + 4, 7):
            body = words(before - 1) + b" " + form + b" " + words(600)
            answer, seen = attack.body(BLOCK, body, chunked=(0, 8191)[before % 2])
            assert (answer.status, seen) == (403, []), before - border


def test_one_character_a_chunk(attack):
    for secret in SECRETS.values():
        attack.is_stopped(b"it is " + secret.encode() + b" as said", chunked=1)


def test_sixty_other_credentials_first(attack):
    """The first finding is not the last that is looked for: the sixty-first alone is left, and stops it."""
    values = [token(seed) for seed in range(100, 160)]
    attack.is_stopped("\n".join([*values, VARIABLE]).encode())
