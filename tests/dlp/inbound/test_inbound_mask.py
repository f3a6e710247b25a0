"""Invariant: a byte is covered if and only if it lies in a form of a secret; lengths stay, cuts change nothing."""

from __future__ import annotations

import base64
import gzip
import json
import random
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.finding import Detector, Severity
from bot_bottle.dlp.inbound.mask import Mask, Nothing
from bot_bottle.dlp.inbound.stream import InboundStream
from bot_bottle.dlp.known import Kind, Known, KnownSecrets

VALUE = "".join(random.Random(23).choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789", k=40))
KNOWN = KnownSecrets({"EGRESS_TOKEN_0": Known(Secret(VALUE), Kind.INJECTED, frozenset({"api.example"}))})
FORMS = {
    "as it is": VALUE.encode(),
    "base64": base64.b64encode(VALUE.encode()),
    "base64 behind a user's name": base64.b64encode(b"x-token:" + VALUE.encode()),
    "URL-safe base64": base64.urlsafe_b64encode(VALUE.encode()),
    "hex": VALUE.encode().hex().encode(),
    "percent": "".join(f"%{ord(char):02X}" for char in VALUE).encode(),
    "entities": "".join(f"&#{ord(char)};" for char in VALUE).encode(),
    "JSON escapes": "".join(f"\\u{ord(char):04x}" for char in VALUE).encode(),
    "backwards": VALUE[::-1].encode(),
}


def cover(known: object, data: bytes, size: int) -> bytes:
    mask = Mask(known)  # type: ignore[arg-type]
    return b"".join(mask.feed(data[at : at + size]) for at in range(0, len(data), size)) + mask.finish()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_every_encoding_is_covered_wherever_it_is_cut(form: bytes, size: int) -> None:
    data = b'{"headers": {"Authorization": "Bearer ' + form + b'"}}'
    out = cover(KNOWN, data, size)
    assert len(out) == len(data)
    assert out.startswith(b'{"headers": {"Authorization": "Bearer ') and out.endswith(b'"}}')
    assert not any(form[at : at + 12] in out for at in range(0, len(form) - 12))


@pytest.mark.parametrize("form", ["as it is", "base64", "hex", "percent", "JSON escapes"])
def test_json_stays_json(form: str) -> None:
    data = b'{"echo": "' + FORMS[form] + b'", "n": 1}'
    assert json.loads(cover(KNOWN, data, 5))["n"] == 1


def test_it_repeats_and_overlaps(plain_secrets: type) -> None:
    assert cover(plain_secrets(b"abcab"), b"xabcabcabyabcabab", 1) == b"x********y*****ab"


@settings(max_examples=300, deadline=None)
@given(data=st.text("abcx", max_size=60).map(str.encode), size=st.integers(1, 9))
def test_property_cuts_change_nothing(plain_secrets: type, data: bytes, size: int) -> None:
    known = plain_secrets(b"abcab", b"cabx", b"aab")
    whole = bytearray(data)
    for start, end in known.spans(data):
        whole[start:end] = b"*" * (end - start)
    assert cover(known, data, size) == bytes(whole)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from([*FORMS.values(), VALUE[:9].encode(), b" ", b"key=", b"\n", b"%"]), max_size=6
    ),
    size=st.integers(1, 40),
)
def test_property_real_secrets_leave_nothing_and_keep_the_length(parts: list[bytes], size: int) -> None:
    data = b" ".join(parts)
    out = cover(KNOWN, data, size)
    assert len(out) == len(data)
    assert KNOWN.spans(out) == []


def test_nothing_is_held_of_what_is_no_beginning(plain_secrets: type) -> None:
    mask = Mask(plain_secrets(VALUE.encode()))
    assert mask.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert mask.feed(b"x" + VALUE[:5].encode()) == b"x"
    assert mask.feed(b"?") == VALUE[:5].encode() + b"?"


def test_a_finding_says_where_and_not_what(plain_secrets: type) -> None:
    mask = Mask(plain_secrets(VALUE.encode()))
    mask.feed(b"token " + VALUE[:20].encode())
    mask.feed(VALUE[20:].encode() + b" end")
    (finding,) = mask.findings
    assert (finding.start, finding.end) == (6, 46)
    assert (finding.detector, finding.severity, finding.match) == (
        Detector.RESPONSE_SECRETS,
        Severity.WARN,
        None,
    )


def test_a_label_that_lies_hides_no_secret() -> None:
    """Also in what is said to be an image: the form of a random value is in no image by chance."""
    stream = InboundStream("image/png", known=KNOWN)
    assert stream.keeps_length
    out = stream.feed(b"\x89PNG\0" + VALUE.encode()).data + stream.finish().data
    assert out == b"\x89PNG\0" + b"*" * 40


def test_an_archive_stays_as_it_is() -> None:
    data = gzip.compress(VALUE.encode() * 3)
    stream = InboundStream("application/gzip", known=KNOWN)
    assert stream.feed(data).data + stream.finish().data == data


def test_without_secrets_nothing_is_held() -> None:
    mask = Mask(Nothing())
    assert mask.feed(b"abc") == b"abc" and mask.finish() == b"" and mask.findings == []


def test_a_form_body_is_covered_and_stays_one() -> None:
    body = urllib.parse.urlencode({"token": VALUE, "n": "1"}).encode()
    assert urllib.parse.parse_qs(cover(KNOWN, body, 3).decode())["n"] == ["1"]
