"""Checksums and parts that decode: what the formats promise is asked for."""

from __future__ import annotations

import base64
import json
import random
import string

import pytest

from bot_bottle.dlp import checks, sample
from bot_bottle.dlp.patterns import Patterns


def made(recipe: str) -> bytes:
    return sample.make(recipe, random.Random(recipe)).text


@pytest.mark.parametrize("prefix", ["ghp", "gho", "ghu", "ghs", "ghr", "npm"])
def test_one_wrong_character_spoils_a_checksum(prefix: str) -> None:
    """Of a token with a checksum every single change is seen, so a look-alike is no finding."""
    token = made(f"{prefix}_{{b62:30}}{{crc62}}")
    assert checks.crc_base62(token)
    assert [hit.start for hit in Patterns.default().scan(token)] == [0]
    source = random.Random(prefix)
    for at in range(len(prefix) + 1, len(token)):
        other = source.choice([c for c in string.ascii_letters + string.digits if ord(c) != token[at]])
        changed = token[:at] + other.encode() + token[at + 1 :]
        assert not checks.crc_base62(changed)
        assert Patterns.default().scan(changed) == []


def test_gitlab_counts_the_prefix_in() -> None:
    token = made("glpat-{b64u:48}.01.1c{crc36}")
    assert checks.crc_base36(token)
    assert not checks.crc_base36(b"glrt-" + token[6:])
    assert [hit.rule for hit in Patterns.default().scan(token)] == ["gitlab-routable-token"]


def test_numbers_are_padded() -> None:
    assert checks.base62(0, 6) == "000000"
    assert checks.base62(61, 2) == "0z"
    assert checks.base36(35, 3) == "00z"


def test_a_macaroon_names_the_index() -> None:
    assert checks.macaroon(made("pypi-AgEIcHlwaS5vcmc{b64u:100}"))
    assert not checks.macaroon(made("pypi-AgEI{b64u:100}"))


def part(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


@pytest.mark.parametrize(
    ("header", "signature", "expected"),
    [
        ({"alg": "HS256", "typ": "JWT"}, b"c2lnbmF0dXJl", True),
        ({"typ": "JWT"}, b"c2lnbmF0dXJl", True),
        ({"alg": "none"}, b"c2lnbmF0dXJl", False),
        ({"version": 3}, b"c2lnbmF0dXJl", False),
        (["alg"], b"c2lnbmF0dXJl", False),
        ({"alg": "HS256"}, b"placeholder", False),
        ({"alg": "HS256", "typ": "JWT"}, checks.PUBLISHED_SIGNATURE, False),
    ],
)
def test_a_jwt_has_a_header_and_a_signature(header: object, signature: bytes, expected: bool) -> None:
    assert checks.jwt(b".".join((part(header), part({"sub": "x"}), signature))) is expected


@pytest.mark.parametrize("name", sorted(checks.CHECKS))
@pytest.mark.parametrize(
    "text", [b"", b".", b"@", b":", b"_", b"-", b"//", b"\xff" * 30, b"a" * 200, b"=" * 9]
)
def test_no_check_raises(name: str, text: bytes) -> None:
    assert checks.CHECKS[name](text) in (True, False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (b"postgres://app:pLk29sdf7@db/x", True),
        (b"postgres://app:p@ss7word9@db/x", True),
        (b"redis://:8fj2k1lmz@10.0.0.1/0", True),
        (b"https:\\/\\/svc:9fk2mzq8@git.example.org\\/r", True),
        (b"postgres://postgres:postgres@localhost/x", False),
        (b"postgres://user:password@localhost/x", False),
        (b"postgresql://scott:tiger@localhost/x", False),
        (b"postgres://u:${DB_PASSWORD}@db/x", False),
        (b"https://user:<token>@host/x", False),
        (b"https://user:secret@host/x", False),
        (b"http://localhost:8080/@scope/name", False),
        (b"https://example.org:8443/path@2", False),
        (b"mailto:someone@example.org", False),
    ],
)
def test_passwords_in_urls(url: bytes, expected: bool) -> None:
    assert bool(Patterns.default().scan(b"x = " + url + b" ")) is expected


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (b"deploy:fk29sKq71", True),
        (b"user:password", False),
        (b"Aladdin:open sesame", False),
        (b"nocolon9182", False),
    ],
)
def test_basic_authentication_decodes_to_a_pair(pair: bytes, expected: bool) -> None:
    text = b"Authorization: Basic " + base64.b64encode(pair) + b"\r\n"
    assert [hit.rule for hit in Patterns.default().scan(text)] == ["basic-auth-header"] * expected
