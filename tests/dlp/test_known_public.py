"""No oracle (ruling 54): who sees only whether a request passes can't find out a secret piece by piece, since nothing
that he can build up from what he knows is ever evidence."""

from __future__ import annotations

import base64
import codecs
import json
import random
import string
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot_bottle.dlp.known import Kind, Known, KnownSecrets
from bot_bottle.dlp.known_public import public_mask
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.sample import make

SOURCE = random.Random(650)
B62 = string.ascii_letters + string.digits


def text(size: int, alphabet: str = B62) -> str:
    return "".join(SOURCE.choice(alphabet) for _ in range(size))


def jwt() -> bytes:
    head = {"alg": "RS256", "typ": "JWT"}
    body = {
        "iss": "https://login.example.com",
        "iat": SOURCE.randrange(10**9, 2 * 10**9),
        "sub": text(8, string.digits),
    }
    parts = [json.dumps(head).encode(), json.dumps(body).encode(), SOURCE.randbytes(64)]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def pem(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, form: PrivateFormat
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def account() -> bytes:
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "quiet-harbour-318207",
            "private_key_id": text(40, "0123456789abcdef"),
            "private_key": pem(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.PKCS8).decode(),
            "client_email": "runner@quiet-harbour-318207.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        },
        indent=2,
    ).encode()


FORMATS: dict[str, Callable[[], bytes]] = {
    "Anthropic": lambda: f"sk-ant-api03-{text(93)}AA".encode(),
    "OpenAI": lambda: f"sk-proj-{text(74)}T3BlbkFJ{text(74)}".encode(),
    "GitHub": lambda: f"github_pat_11{text(20)}_{text(59)}".encode(),
    "database": lambda: f"postgres://service:{text(24)}@db.internal.example.com:5432/ledger".encode(),
    "webhook": lambda: f"https://hooks.slack.com/services/T{text(10)}/B{text(10)}/{text(24)}".encode(),
    "JWT": jwt,
    "EC, SEC 1": lambda: pem(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.TraditionalOpenSSL),
    "EC, PKCS 8": lambda: pem(ec.generate_private_key(ec.SECP384R1()), PrivateFormat.PKCS8),
    "EC, OpenSSH": lambda: pem(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.OpenSSH),
    "Ed25519, PKCS 8": lambda: pem(ed25519.Ed25519PrivateKey.generate(), PrivateFormat.PKCS8),
    "Ed25519, OpenSSH": lambda: pem(ed25519.Ed25519PrivateKey.generate(), PrivateFormat.OpenSSH),
    "RSA, PKCS 1": lambda: pem(rsa.generate_private_key(65537, 2048), PrivateFormat.TraditionalOpenSSL),
    "RSA, PKCS 8": lambda: pem(rsa.generate_private_key(65537, 2048), PrivateFormat.PKCS8),
    "service account": account,
}


def is_seen(known: KnownSecrets, data: bytes) -> bool:
    """Between marks: a letter before or behind it could be the one that a guess lacks, once in thirty."""
    return bool(known.scan(b"<> " + data + b" <>"))


@pytest.fixture(scope="module", params=FORMATS)
def secret(request: pytest.FixtureRequest) -> tuple[str, bytes, KnownSecrets]:
    value = FORMATS[request.param]()
    return request.param, value, KnownSecrets({"SECRET": Known(value, Kind.INJECTED)})


def test_it_is_known_at_all(secret: tuple[str, bytes, KnownSecrets]) -> None:
    """The control: as a whole, and some private part of it."""
    _name, value, known = secret
    assert is_seen(known, value)
    mask = public_mask(value)
    runs = [part for part in _private_runs(value, mask) if sum(map(_is_letter, part)) >= 14]
    assert runs and all(is_seen(known, run) for run in runs)


def test_a_fresh_sample_of_the_format_is_nothing(secret: tuple[str, bytes, KnownSecrets]) -> None:
    """What all of a kind have is no evidence."""
    name, _value, known = secret
    for _ in range(3):
        assert not is_seen(known, FORMATS[name]())


def test_what_is_known_can_not_be_prolonged(secret: tuple[str, bytes, KnownSecrets]) -> None:
    """At each border of a public part: with one to eleven right guesses beside it the answer is what it was before,
    so that no guess is ever confirmed. Also in other encodings than the plain one."""
    _name, value, known = secret
    mask = public_mask(value)
    encoders: tuple[Callable[[bytes], bytes], ...] = (
        bytes,
        base64.b64encode,
        bytes.hex,  # type: ignore[arg-type]
        lambda data: data[::-1],
        lambda data: codecs.encode(data.decode("latin-1"), "rot13").encode("latin-1"),
    )
    for at in range(1, len(value)):
        if mask[at] == mask[at - 1]:
            continue
        start, end = (max(0, at - 60), at + 11) if mask[at - 1] else (at - 11, at + 60)
        guess = value[start:end]
        if sum(map(_is_letter, _longest_private(value[start:end], mask[start:end]))) >= 12:
            continue  # there is a private part in full on the other side
        for encode in encoders:
            form = encode(guess)
            assert not is_seen(known, form.encode() if isinstance(form, str) else form)


def test_a_seed_that_looks_like_an_element_is_private() -> None:
    """Its first byte is that of a sequence, or of a string: by chance in one key of a hundred."""
    head = bytes.fromhex("302e020100300506032b657004220420")
    for tag in (0x30, 0x04):
        body = base64.encodebytes(head + bytes([tag]) + SOURCE.randbytes(31))
        value = b"-----BEGIN PRIVATE KEY-----\n" + body + b"-----END PRIVATE KEY-----\n"
        assert public_mask(value).count(0) >= 40


def test_search_by_halves_learns_nothing() -> None:
    """The attack itself: from the prefix on, all guesses of a next character are put in one request, and halved while
    it is refused. It is never refused, so that after 650 requests he knows what he knew."""
    value = FORMATS["Anthropic"]()
    known = KnownSecrets({"SECRET": Known(value, Kind.INJECTED)})
    learnt, requests = b"sk-ant-api03-", 0
    while requests < 650:
        guesses = [learnt[-11:] + bytes([byte]) for byte in B62.encode() + b"-_"]
        requests += 1
        if not known.scan(b" | ".join(guesses)):
            break
        while len(guesses) > 1:
            requests += 1
            half = guesses[: len(guesses) // 2]
            guesses = half if known.scan(b" | ".join(half)) else guesses[len(half) :]
        learnt += guesses[0][-1:]
    assert (learnt, requests) == (b"sk-ant-api03-", 1)
    assert known.scan(b" | ".join([value[13:25], b"x" * 12])), "the attack works on what is no public part"


@pytest.mark.parametrize(
    "rule", [rule for rule in ALL_RULES if len(rule.prefix) > 3], ids=lambda rule: rule.name
)
def test_prefixes_of_vendors_are_public(rule: object) -> None:
    """Each rule's constant beginning, in a sample of its own."""
    for recipe in rule.positives:  # type: ignore[attr-defined]
        sample = make(recipe, random.Random(7)).secret
        prefix = rule.prefix.encode()  # type: ignore[attr-defined]
        if sample.startswith(prefix):
            assert public_mask(sample)[: len(prefix)] == b"\1" * len(prefix)


@pytest.mark.parametrize(
    "value", [b"{" * 5000, b"-----BEGIN X-----" * 50, b"eyJ" * 3000, b'{"a":' * 900, bytes(4096)]
)
def test_masks_of_anything(value: bytes) -> None:
    """One byte for each, whatever it looks like."""
    assert len(public_mask(value)) == len(value)


def _is_letter(byte: int) -> bool:
    return byte < 128 and chr(byte).isalnum()


def _private_runs(value: bytes, mask: bytes) -> list[bytes]:
    runs, start = [], 0
    for at in range(len(value) + 1):
        if at == len(value) or mask[at]:
            runs.append(value[start:at])
            start = at + 1
    return runs


def _longest_private(value: bytes, mask: bytes) -> bytes:
    return max(_private_runs(value, mask), key=lambda run: sum(map(_is_letter, run)))
