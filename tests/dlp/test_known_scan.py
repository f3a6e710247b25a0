"""A known secret is found wherever it is whole, with separators, or in part; and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import random
import string

import pytest

from bot_bottle.base.secret import Secret
from bot_bottle.dlp.known import Kind, Known, KnownSecrets

SOURCE = random.Random(54)
KEY = "sk-ant-api03-" + "".join(SOURCE.choice(string.ascii_letters + string.digits + "-_") for _ in range(60))
VALUE = KEY.encode()


@pytest.fixture(scope="module")
def known() -> KnownSecrets:
    return KnownSecrets({"TOKEN": Known(Secret(KEY), Kind.INJECTED, frozenset({"api.example.com"}))})


def found(known: KnownSecrets, text: bytes) -> list[tuple[bytes, bool]]:
    return [(text[hit.start : hit.end], hit.exact) for hit in known.scan(text)]


def test_as_it_is(known: KnownSecrets) -> None:
    """Exact offsets, every time that it is there."""
    assert found(known, b'{"a": "' + VALUE + b'", "b": "' + VALUE + b'"}') == [(VALUE, True)] * 2


def test_separators(known: KnownSecrets) -> None:
    """Any bytes but letters and digits in between, and the escapes of line ends and tabs."""
    for separator in (b" ", b"-", b"\n", b"\\n", b"\\r\\n", b"\\t", b"\x00\xff", b"\xe2\x80\x8b", b" " * 300):
        spread = separator.join(bytes([byte]) for byte in VALUE)
        assert found(known, b"say " + spread + b" now") == [(spread, False)]


def test_fragments(known: KnownSecrets) -> None:
    """Twelve in a row of what is private are a part; eight are not."""
    for at in range(13, len(VALUE) - 30):
        piece = VALUE[at : at + 12 + 18]
        assert [exact for _text, exact in found(known, b"x " + piece + b" y")] == [False]
        assert found(known, b"x " + VALUE[at : at + 8] + b" y") == []


def test_the_public_prefix_is_nothing(known: KnownSecrets) -> None:
    """Text about keys is no key."""
    assert found(known, b"keys begin with sk-ant-api03- and go on for a while") == []


def test_an_approved_form_silences_what_is_looser(known: KnownSecrets) -> None:
    """And no other encoding of the same secret."""
    approved = frozenset({hashlib.sha256(VALUE).digest()})
    loose = b" ".join(bytes([byte]) for byte in VALUE)
    text = VALUE + b" | " + loose + b" | " + VALUE.hex().encode()
    assert [text[hit.start : hit.end] for hit in known.scan(text, approved)] == [VALUE.hex().encode()]
    assert known.scan(VALUE, approved) == []
    assert known.scan(base64.b64encode(VALUE), approved) != []


def test_weak_values_are_named_and_not_searched() -> None:
    """Shorter than eight characters, or under 2.5 bits a character (rulings 12 and 54)."""
    known = KnownSecrets(
        {"SHORT": Known(b"abc1234", Kind.ENV), "FLAT": Known(b"aaaabbbbaaaabbbb", Kind.OPERATOR)}
    )
    assert known.scan(b"abc1234 aaaabbbbaaaabbbb") == []
    assert [warning.partition(":")[0] for warning in known.warnings] == ["FLAT", "SHORT"]


def test_nothing_shows_a_value(known: KnownSecrets) -> None:
    """Not in any repr that a log or traceback might take."""
    shown = repr(known) + repr(known.entries) + repr(Known(VALUE, Kind.ENV)) + repr(known.scan(VALUE))
    assert KEY[20:28] not in shown


def test_the_password_of_an_address_is_a_secret_by_itself() -> None:
    """And what is around it in the address is none."""
    value = b"postgres://service:Kq8%2FtW2zK5vB1@db.example.com/ledger?sslmode=require"
    known = KnownSecrets({"DATABASE_URL": Known(value, Kind.ENV)})
    assert found(known, b"<" + value + b">")[0] == (value, True)
    for spelled in (b"Kq8/tW2zK5vB1", b"Kq8%2FtW2zK5vB1", base64.b64encode(b"Kq8/tW2zK5vB1")):
        assert found(known, b"PGPASSWORD='" + spelled + b"' psql")[0][0].rstrip(b"=") in spelled
    assert found(known, b"psql 'postgres://service@db.example.com/ledger?sslmode=require'") == []


def test_line_ends_around_a_value_are_no_part_of_it() -> None:
    """A file's last one is lost on many ways."""
    known = KnownSecrets({"FILE": Known(VALUE + b"\n", Kind.ENV)})
    assert found(known, b"x " + VALUE + b" y") == [(VALUE, True)]
