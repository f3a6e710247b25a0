"""What comes in has no known secret in it when it goes on, however it was cut into chunks (response_secrets)."""

from __future__ import annotations

import base64
import html
import json
import random
import string
import urllib.parse
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_bottle.dlp.known import Kind, Known, KnownSecrets

SOURCE = random.Random(88)
TOKEN = (
    "sk-ant-api03-" + "".join(SOURCE.choice(string.ascii_letters + string.digits + "-_") for _ in range(70))
).encode()
PASSWORD = b"Kj9\"x&<q>\\w/z=+%7Rv'#m"
LINES = (
    b"-----BEGIN PRIVATE KEY-----\n"
    + base64.encodebytes(SOURCE.randbytes(120))
    + b"-----END PRIVATE KEY-----"
)
MASK = b"********"

FORMS: list[bytes] = [
    form
    for value in (TOKEN, PASSWORD)
    for form in (
        value,
        base64.b64encode(value),
        base64.urlsafe_b64encode(value),
        base64.b32encode(value),
        base64.b85encode(value),
        value.hex().encode(),
        value.hex().upper().encode(),
        value.hex(":").encode(),
        value.hex(" ").encode(),
        "".join(f"\\x{byte:02x}" for byte in value).encode(),
        ", ".join(f"0x{byte:02x}" for byte in value).encode(),
        ", ".join(map(str, value)).encode(),
        urllib.parse.quote(value, safe="").encode(),
        urllib.parse.quote_plus(value).encode(),
        "".join(f"%{byte:02X}" for byte in value).encode(),
        "".join(f"%25{byte:02X}" for byte in value).encode(),
        json.dumps(value.decode())[1:-1].encode(),
        "".join(f"\\u{byte:04x}" for byte in value).encode(),
        "".join(f"&#{byte};" for byte in value).encode(),
        "".join(f"&#x{byte:x};" for byte in value).encode(),
        html.escape(value.decode()).encode(),
        value[::-1],
        value.decode().encode("utf-16-le"),
    )
] + [LINES, LINES.replace(b"\n", b"\\n"), LINES.replace(b"\n", b"\r\n"), base64.b64encode(LINES)]


@pytest.fixture(scope="module")
def known() -> KnownSecrets:
    values = {"TOKEN": TOKEN, "PASSWORD": PASSWORD, "LINES": LINES}
    return KnownSecrets({name: Known(value, Kind.INJECTED) for name, value in values.items()})


def pass_on(known: KnownSecrets, chunks: list[bytes]) -> bytes:
    """As a proxy does it: hold back what may be a beginning, replace in the rest."""
    out, held = b"", b""
    for chunk in chunks:
        data = held + chunk
        cut = len(data) - known.partial_tail(data)
        cut = min((start for start, end in known.spans(data) if start < cut < end), default=cut)
        out += known.replace(data[:cut])
        held = data[cut:]
    return out + known.replace(held)


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_each_form_is_replaced(known: KnownSecrets, form: bytes) -> None:
    """Wherever the stream is cut; what is around it stays."""
    before, after = b'data: {"text": "it is ', b' (really)"}\n\n'
    text = before + form + after
    whole = known.replace(text)
    assert whole.startswith(before) and whole.endswith(after) and MASK in whole
    assert len(whole) <= len(before) + len(MASK) + len(after) + 6
    cuts = [*range(0, len(text), max(1, len(text) // 40)), len(before) + 1, len(before) + len(form) - 1]
    for at in cuts:
        assert pass_on(known, [text[:at], text[at:]]) == whole, at
    assert pass_on(known, [text[at : at + 7] for at in range(0, len(text), 7)]) == whole


def test_text_without_a_secret_is_the_same(known: KnownSecrets) -> None:
    """Byte for byte; and the end of an event is never held back."""
    text = b"".join(
        b'event: delta\ndata: {"text": "%d %s"}\n\n' % (at, bytes([97 + at % 26]) * 5) for at in range(2000)
    )
    assert known.replace(text) == text
    for event in text.split(b"\n\n")[:-1]:
        assert known.partial_tail(event + b"\n\n") == 0


def test_the_tail_that_may_be_a_beginning(known: KnownSecrets) -> None:
    """Just the beginning of a form, not what is before it, and nothing after its end."""
    for form in FORMS:
        for size in (1, 5, len(form) // 2, len(form) - 1):
            held = known.partial_tail(b"so it is " + form[:size])
            assert held >= size, (form[:4], size)
            assert held <= size + 8
    assert known.partial_tail(b"so it is " + TOKEN + b" and on it goes.") == 0


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.one_of(st.sampled_from(FORMS[:20]), st.binary(max_size=30)), max_size=6),
    cuts=st.lists(st.integers(0, 3000), max_size=8),
)
def test_property_cuts_change_nothing(known: KnownSecrets, parts: list[bytes], cuts: list[int]) -> None:
    """Forms and anything between them: no form is left, however it is cut."""
    text = b" | ".join(parts)
    marks = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    out = pass_on(known, [text[start:end] for start, end in pairwise(marks)])
    assert TOKEN not in out and PASSWORD not in out
    assert out == known.replace(text)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_fuzz_the_tail(known: KnownSecrets, data: bytes) -> None:
    """A number of bytes, whatever it is."""
    assert 0 <= known.partial_tail(data) <= len(data)
    assert known.spans(data) == []
