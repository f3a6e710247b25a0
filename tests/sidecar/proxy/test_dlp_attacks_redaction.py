"""What is redacted is a request in good order in which no part of a secret is left (threats G7).

Read from what the upstream received: in every form it is parsed as its receiver would.
"""

from __future__ import annotations

import base64
import email
import gzip
import json
import random
import urllib.parse
from typing import Any

import pytest
from attack_support import KIB, SECRETS, VARIABLE, attacking, words
from dlp_support import OFF, REDACT, TOKEN, token

MASK = "********"
LEFT = 12
"""characters in a row of a secret that would be a part of it"""


@pytest.fixture(scope="module")
def attack(run_shared_proxy, to):
    yield from attacking(run_shared_proxy, to)


def received(attack, body: bytes, *fields: tuple[str, str], chunked: int = 0) -> bytes:
    """What arrives of *body*, framed as it says, with nothing left of any secret; all of it does unscanned."""
    attack.arrives(OFF, body, fields)
    answer, seen = attack.body(REDACT, body, fields, chunked=chunked)
    assert (answer.status, len(seen)) == (200, 1), answer.body
    assert seen[0].all("content-length") == [str(len(seen[0].body))]
    assert seen[0].header("transfer-encoding") is None
    nothing_left(seen[0].body)
    answer, seen_next = attack.body(REDACT, b"the next one")
    assert (answer.status, seen_next[0].body) == (200, b"the next one")
    return seen[0].body


def nothing_left(data: bytes) -> None:
    for secret in SECRETS.values():
        parts = [secret[at : at + LEFT].encode() for at in range(4, len(secret) - LEFT + 1)]
        assert [part for part in parts if part in data] == []


def in_json(attack, value: Any, **options: Any) -> Any:
    return json.loads(
        received(attack, json.dumps(value).encode(), ("Content-Type", "application/json"), **options)
    )


def test_again_and_again(attack):
    """Each place of each, next to each other, and one within what another has around it."""
    both = TOKEN + VARIABLE
    value = {
        "a": [TOKEN, VARIABLE] * 20,
        "b": both,
        "c": f"Bearer {TOKEN}, token={TOKEN};x={VARIABLE}{VARIABLE}",
        "d": f'{{"inner": "{VARIABLE}"}}',
        TOKEN: 1,
        "e": "plain",
    }
    got = in_json(attack, value)
    assert got["a"] == [MASK] * 40
    assert got["e"] == "plain"
    assert json.loads(got["d"]) == {"inner": MASK}
    assert set(got) == {"a", "b", "c", "d", MASK, "e"}
    assert got["c"].startswith("Bearer ") and set(got["b"]) == {"*"}


def test_overlapping(attack):
    """A value that is known and has a format, too; one that ends where another begins; one cut by another."""
    text = f"{TOKEN}{TOKEN} {VARIABLE[:20]}{VARIABLE} {VARIABLE}{VARIABLE[20:]} {TOKEN[:15]}{TOKEN}"
    text += f" https://me:{VARIABLE}@host/"
    received(attack, text.encode())


@pytest.mark.parametrize("count", [60, 400])
def test_many(attack, count):
    """The last of many is replaced as the first, and what stands between stays (threats G5)."""
    values = [token(seed) for seed in range(1000, 1000 + count)]
    got = in_json(
        attack, [{"id": at, "note": f"see {value} and {VARIABLE}"} for at, value in enumerate(values)]
    )
    assert got == [{"id": at, "note": f"see {MASK} and {MASK}"} for at in range(count)]


ENCODED = {
    "base64": lambda text: base64.b64encode(text).decode(),
    "base64 of more": lambda text: base64.b64encode(b"user:" + text + b"\n" + words(300)).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(b"?" + text).decode().rstrip("="),
    "hex": lambda text: text.hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text),
    "reversed": lambda text: text.decode()[::-1],
    "escaped twice": lambda text: json.dumps("".join(f"\\u{byte:04x}" for byte in text)),
    "packed": lambda text: base64.b64encode(gzip.compress(text + words(200), mtime=0)).decode(),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("encode", ENCODED.values(), ids=ENCODED)
def test_encoded_in_json(attack, encode, secret):
    """The encoded form goes, what is beside it stays; or, where that can't be done, all is refused."""
    form = encode(secret.encode())
    body = json.dumps({"before": "a", "it": form, "after": ["b", 2]}).encode()
    attack.arrives(OFF, body)
    answer, seen = attack.body(REDACT, body)
    if answer.status == 403:
        assert seen == []
        return
    got = json.loads(seen[0].body)
    assert (got["before"], got["after"]) == ("a", ["b", 2])
    assert form not in got["it"]
    nothing_left(seen[0].body + _decoded(got["it"]))


def _decoded(text: str) -> bytes:
    """What a receiver might still read out of it."""
    out = text[::-1].encode() + urllib.parse.unquote_to_bytes(text)
    plain = "".join(char for char in text if char.isalnum() or char in "+/-_")
    for shift in range(4):
        piece = plain[shift:].replace("-", "+").replace("_", "/")
        out += base64.b64decode(piece[: len(piece) - len(piece) % 4])
    digits = "".join(char for char in text if char in "0123456789abcdef")
    return out + bytes.fromhex(digits[: len(digits) - len(digits) % 2])


@pytest.mark.parametrize("chunked", [0, 1, 4000])
def test_events(attack, chunked):
    """Server-sent events in a body stay events."""
    events = [
        {"type": "delta", "n": n, "text": f"it is {(TOKEN, VARIABLE, 'nothing')[n % 3]} there"}
        for n in range(30)
    ]
    body = "".join(f"event: delta\nid: {n}\ndata: {json.dumps(event)}\n\n" for n, event in enumerate(events))
    got = received(attack, body.encode(), ("Content-Type", "text/event-stream"), chunked=chunked).decode()
    frames = got.split("\n\n")
    assert frames[-1] == "" and len(frames) == 31
    texts = [json.loads(frame.split("\ndata: ")[1])["text"] for frame in frames[:-1]]
    assert texts == [f"it is {(MASK, MASK, 'nothing')[n % 3]} there" for n in range(30)]


def test_a_form(attack):
    body = urllib.parse.urlencode([("a", "1"), ("key", TOKEN), ("b", f"x&y={VARIABLE}"), ("c", "ü")])
    got = received(attack, body.encode(), ("Content-Type", "application/x-www-form-urlencoded"))
    assert urllib.parse.parse_qsl(got.decode()) == [
        ("a", "1"),
        ("key", MASK),
        ("b", f"x&y={MASK}"),
        ("c", "ü"),
    ]


def test_parts(attack):
    """A multipart message has its parts, and their names, as before."""
    said = ("Content-Type", "multipart/form-data; boundary=edge")
    part = '--edge\r\nContent-Disposition: form-data; name="f{}"; filename="{}.txt"\r\n\r\nit is {}\r\n'
    body = (
        "".join(part.format(n, n, value) for n, value in enumerate((TOKEN, VARIABLE, "nothing")))
        + "--edge--\r\n"
    )
    got = received(attack, body.encode(), said)
    message = email.message_from_bytes(b"Content-Type: " + said[1].encode() + b"\r\n\r\n" + got)
    assert [one.get_filename() for one in message.get_payload()] == ["0.txt", "1.txt", "2.txt"]
    assert [one.get_payload() for one in message.get_payload()] == [f"it is {MASK}"] * 2 + ["it is nothing"]


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
def test_encoded_bodies_over_borders(attack, coding):
    """A large body that is encoded: replaced wherever it lies, encoded anew."""
    rng = random.Random(4)
    filler = [rng.randbytes(30).hex() for _ in range(9000)]
    value = {"a": filler, "key": TOKEN, "b": filler, "other": f"x {VARIABLE}"}
    body = json.dumps(value).encode()
    for _ in coding.split(","):
        body = gzip.compress(body, mtime=0)
    attack.arrives(OFF, body, (("Content-Encoding", coding),))
    answer, seen = attack.body(REDACT, body, (("Content-Encoding", coding),), chunked=64 * KIB)
    assert (answer.status, len(seen)) == (200, 1), answer.body
    got = seen[0].body
    for _ in seen[0].header("content-encoding").split(","):
        got = gzip.decompress(got)
    assert json.loads(got) == {"a": filler, "key": MASK, "b": filler, "other": f"x {MASK}"}
