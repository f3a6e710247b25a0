"""Secrets of nobody in particular: found by name and chance in every kind of text, and nothing else is."""

from __future__ import annotations

import base64
import json
import random
import uuid

import pytest

from bot_bottle.dlp import names, sample
from bot_bottle.dlp.patterns import Patterns

PLACES = [
    'API_KEY = "{}"',
    "export SERVICE_TOKEN={}\n",
    '{{"client_secret": "{}", "x": 1}}',
    '{{\\"apiKey\\": \\"{}\\"}}',
    "  auth_token: {}\n",
    "const secretKey: string = '{}';",
    "X-Api-Key: {}\r\n",
    "Authorization: Bearer {}\r\n",
    "Authorization: token {}\r\n",
    "PGPASSWORD={} psql",
    "tool --token {} --x",
    "tool --password={}",
    "<apiKey>{}</apiKey>",
    '<add key="ApiToken" value="{}"/>',
    '{{"name":"DB_PASSWORD","value":"{}"}}',
    '- name: SECRET_KEY\n  value: "{}"\n',
    "{{'access_token': '{}'}}",
    'setApiKey("{}")',
    'os.environ["AUTH_TOKEN"] = "{}"',
    "https://x/y?api_key={}&z=1",
    'token := "{}"',
    ':password => "{}"',
    "run\\nAPI_TOKEN={}\\nfoo",
    'private_key = "{}"',
    'headers.set("X-Auth-Token", "{}")',
    "ENV ACCESS_KEY {}\n",
    "spring.datasource.password={}\n",
    '["--api-key", "{}"]',
    "define('API_SECRET', '{}');",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("recipe", ["{b62:32}7", "{b64u:20}4{b64u:20}", "{hex:40}", "{b36:16}5{b36:20}"])
def test_found_in_every_place(place: str, recipe: str) -> None:
    for draw in range(5):
        value = sample.make(recipe, random.Random(f"{place} {draw}")).text.strip(b"-_")
        text = place.format(value.decode()).encode()
        at = text.index(value)
        assert [(hit.start, hit.end) for hit in Patterns.default().scan(text)] == [(at, at + len(value))]


BENIGN = [
    '"prompt_cache_key": "{uuid}"',
    '"prompt_cache_key": "{hex:64}"',
    '"signature": "{b64bytes:300}"',
    '"id": "call_{b62:24}"',
    '"tool_use_id": "toolu_01{b62:22}"',
    '"id":"msg_01{b62:22}"',
    '"request_id": "req_011{b62:21}"',
    '"id": "resp_{hex:48}"',
    '"id": "rs_{hex:50}"',
    '"encrypted_content": "gAAAAAB{b64u:300}"',
    '"integrity": "sha512-{b64bytes:64}"',
    "commit {hex:40}",
    "example.org/auth v1.2.3 h1:{b64bytes:32}",
    "    --hash=sha256:{hex:64}",
    'checksum = "{hex:64}"',
    '"key": "{hex:32}"',
    '"session_id": "{uuid}"',
    '"token": "{uuid}"',
    "auth@sha256:{hex:64}",
    '"next_page_token": "{b62:40}"',
    "key: cache-{hex:64}",
    '"etag": "{b62:32}"',
    '"idempotency-key": "{b62:32}"',
    "Sec-WebSocket-Key: {b64bytes:16}",
    "traceparent: 00-{hex:32}-{hex:16}-01",
    "data:image/png;base64,{b64bytes:600}",
    'public_key: "{b62:44}"',
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b64:43} u@h",
    '"password_hash": "$2b$12${b62:53}"',
    "api_key_hash = '{hex:64}'",
    'csrf_token = "{b62:40}"',
    "token_count=123456789012",
    "password = getPasswordFrom1Store('x')",
    'api_key = os.environ["SERVICE_API_KEY_2"]',
    "token = tokenizer2.encode_plus(text)",
    'secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-{b62:6}"',
    "max_tokens: 123456789012",
    '"author": "somebody1234567890"',
    'keywords = ["authentication2", "tokenization3"]',
    "tokenUrl: https://host/{b62:30}",
    '"yarn_auth@^4.1.0": {lb}"version": "4.1.0"{rb}',
    "secretName: my-app-secret-tls-2024-prod",
    "{b64bytes:9000}",
    "{b64u:9000}",
]


@pytest.mark.parametrize("recipe", BENIGN)
def test_not_found(recipe: str) -> None:
    """Identifiers, hashes, counts, lock files, what model APIs send back: also as a string in JSON."""
    for draw in range(5):
        text = sample.make(recipe, random.Random(f"{recipe} {draw}")).text
        assert Patterns.default().scan(text) == []
        assert Patterns.default().scan(json.dumps({"content": text.decode()}).encode()) == []


def test_not_found_in_what_was_drawn_by_chance() -> None:
    """A megabyte each of bytes, base64 and hexadecimal digits."""
    noise = random.Random(11).randbytes(1_000_000)
    for text in (noise, base64.b64encode(noise), base64.urlsafe_b64encode(noise), noise.hex().encode()):
        assert Patterns.default().scan(text) == []


@pytest.mark.parametrize(
    "name",
    [
        b"API_KEY",
        b"apiKey",
        b"client_secret",
        b"DB_PASSWORD",
        b"authToken",
        b"X-Auth-Token",
        b"SECRET_KEY_BASE",
        b"token",
        b"API_KEY_2",
        b"stripe.secret-key",
        b"REDIS_CACHE_PASSWORD",
        b"AwsSecretAccessKey",
        b"signing_key",
    ],
)
def test_names_of_secrets(name: bytes) -> None:
    assert names.is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"key",
        b"cache_key",
        b"primaryKey",
        b"next_page_token",
        b"token_count",
        b"public_key",
        b"api_key_id",
        b"password_hash",
        b"csrfToken",
        b"keyboard",
        b"author",
        b"passwordField",
        b"tokenizer",
        b"secret_name",
    ],
)
def test_names_of_other_things(name: bytes) -> None:
    assert not names.is_secret(name)


def test_a_vendor_is_named_by_what_stands_near() -> None:
    key = sample.make("{hex:32}", random.Random(4)).text.decode()
    near = f'const dog = new Datadog({{\n  site: "eu",\n  apiKey: "{key}",\n}})'.encode()
    assert [hit.rule for hit in Patterns.default().scan(near)] == ["datadog-key"]
    far = b'apiKey: "' + key.encode() + b'"' + b" " * 300 + b"datadog"
    assert [hit.rule for hit in Patterns.default().scan(far)] == ["generic-secret"]


def test_a_uuid_is_a_secret_only_for_who_uses_them() -> None:
    value = uuid.UUID(int=random.Random(8).getrandbits(128))
    assert [hit.rule for hit in Patterns.default().scan(f"HEROKU_API_KEY={value}".encode())] == [
        "heroku-legacy-key"
    ]
    assert Patterns.default().scan(f"HEROKU_APP_ID={value}".encode()) == []
    assert Patterns.default().scan(f"SOME_API_KEY={value}".encode()) == []
