"""Invariant: what a form lets through has its grammar, and is left as it is by the form a second time."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_bottle.egress.forms import FORMS, MAX_VALUE_CHARS, narrowed

SECRET = base64.urlsafe_b64encode(random.Random(7).randbytes(32)).decode().rstrip("=")
"""generated: what an agent would hide"""
DIGEST = base64.b64encode(bytes(32)).decode()

NEVER_HOLDS = {"if-match": '"unreadable"', "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT"}

REAL = [
    # as clients send them, which is how they are sent on
    ("accept", "*/*", None),
    ("accept", "application/json", None),
    ("accept", "application/vnd.npm.install-v1+json;q=1.0, application/json;q=0.8, */*", None),
    ("accept", "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.1", None),
    ("accept", "application/vnd.github.v3.raw+json", None),
    ("accept", "text/html, image/*;q=0.8, */*;q=0.5", None),
    ("accept", "application/vnd.oci.image.manifest.v1+json", None),
    ("accept", "text/event-stream", None),
    ("accept-encoding", "gzip, deflate, br, zstd", None),
    ("accept-encoding", "gzip;q=1.0, *;q=0", None),
    ("accept-language", "de-de, de;q=0.9, *;q=0.5", None),
    ("accept-charset", "utf-8, *;q=0.1", None),
    ("anthropic-version", "2023-06-01", None),
    ("cache-control", "max-age=0", None),
    ("cache-control", "no-cache, no-store", None),
    ("content-digest", f"sha-256=:{DIGEST}:", None),
    ("content-encoding", "zstd", None),
    ("content-language", "en", None),
    ("content-type", "application/json", None),
    ("content-type", "binary/octet-stream", None),
    ("content-type", "application/json; charset=utf-8", None),
    ("content-type", "application/x-git-upload-pack-request", None),
    ("content-type", "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", None),
    ("content-type", 'multipart/mixed; boundary="a b"', None),
    ("git-protocol", "version=2", None),
    ("if-match", "*", None),
    ("if-none-match", '"33a64df551425fcc55e4d42a148795d9f25f89d4"', None),
    ("if-none-match", 'W/"0815", "a,b"', None),
    ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT", None),
    ("if-range", '"abc"', None),
    ("if-range", "Sun, 06 Nov 1994 08:49:37 GMT", None),
    ("originator", "codex_exec", None),
    ("pragma", "no-cache", None),
    ("range", "bytes=0-1023", None),
    ("range", "bytes=-500", None),
    ("range", "bytes=0-1,5-9", None),
    ("user-agent", "Go-http-client/1.1", None),
    ("user-agent", "pip/23.0.1", None),
    ("user-agent", "python-requests/2.31.0", None),
    ("user-agent", "Debian APT-HTTP/1.3", None),
    ("version", "0.169.0", None),
    ("x-app", "cli", None),
    # other spellings of the same
    ("accept", "TEXT/Html ; Q=0.5,application/json,,text/html;q=0.5", "text/html;q=0.5, application/json"),
    ("accept-encoding", "GZIP,gzip", "gzip"),
    ("content-type", 'Application/JSON;charset="UTF-8"', "application/json; charset=utf-8"),
    ("if-modified-since", "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("pragma", "No-Cache", "no-cache"),
    ("range", "Bytes=0-1, 5-9", "bytes=0-1,5-9"),
    ("user-agent", 'pip/23.0.1 {"ci":null,"cpu":"x86_64"}', "pip/23.0.1"),
    ("user-agent", "npm/9.2.0 node/v18.20.4 linux x64 workspaces/false", "npm/9.2.0 node/v18.20.4 linux x64"),
    # data
    ("accept", f"application/{SECRET}", ""),
    ("accept", f"application/json;profile={SECRET}", "application/json"),
    ("accept", f"application/json;version={SECRET}", "application/json"),
    ("accept", f"text/x, {SECRET}/x", "text/x"),
    ("accept", "application/deadbeefdeadbeefdeadbeef", ""),
    ("accept-encoding", f"gzip, {SECRET}", "gzip"),
    ("accept-encoding", "gzip;q=0.12345", "gzip"),
    ("accept-language", f"en, {SECRET}", "en"),
    ("accept-language", "en-abcdef", ""),
    ("accept-charset", SECRET, ""),
    ("anthropic-version", SECRET, ""),
    ("cache-control", f"max-age=0, x-{SECRET}", "max-age=0"),
    ("cache-control", f"max-age={'9' * 9}", ""),
    ("cache-control", f"no-cache={SECRET}", ""),
    ("content-digest", f"sha-256=:{DIGEST[4:]}:", ""),
    ("content-digest", f"x=:{DIGEST}:", ""),
    ("content-digest", "sha-256=:\u00e9:", ""),
    ("content-encoding", SECRET, ""),
    ("content-type", f"application/json; x={SECRET}", "application/json"),
    ("content-type", f"application/json; boundary={SECRET}", "application/json"),
    ("content-type", f"application/{SECRET}", ""),
    ("content-type", "multipart/mixed; boundary=" + "a" * 71, "multipart/mixed"),
    ("git-protocol", f"version=2:x={SECRET}", ""),
    ("if-match", SECRET, '"unreadable"'),
    ("if-match", '"a" "b"', '"unreadable"'),
    ("if-unmodified-since", f"{SECRET}", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT", None),
    ("content-type", "text/plain; charset=Shift_JIS", "text/plain; charset=shift_jis"),
    ("if-none-match", f'"{"a" * 97}"', ""),
    ("if-none-match", '"a" "b"', ""),
    ("if-none-match", '"a', ""),
    ("if-none-match", '"a b"', ""),
    ("if-modified-since", f"Sun, 06 Nov 1994 08:49:37 GMT {SECRET}", ""),
    ("if-modified-since", "Sun, 31 Feb 2025 08:49:37 GMT", ""),
    ("if-modified-since", "Sun, 06 Nov 9999 08:49:37 GMT", ""),
    ("if-modified-since", "Sun, 06 Nov 1994 28:49:37 GMT", ""),
    ("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT", ""),
    ("if-range", '"a", "b"', ""),
    ("originator", SECRET, ""),
    ("pragma", f"x={SECRET}", ""),
    ("range", f"bytes=0-{'1' * 14}", ""),
    ("range", "bytes=0-1,2-3,4-5,6-7,8-9", ""),
    ("range", "bytes=-", ""),
    ("range", f"{SECRET}=0-1", ""),
    ("user-agent", f"agent/{SECRET}", ""),
    ("user-agent", "agent/deadbeefdeadbeefdead", ""),
    ("user-agent", "agent/1/2/3", ""),
    ("version", SECRET, ""),
    ("x-app", SECRET, ""),
    ("x-app", "", ""),
]


@pytest.mark.parametrize(("name", "value", "left"), REAL)
def test_values(name: str, value: str, left: str | None) -> None:
    """What real clients send goes through; what is hidden in it does not."""
    assert narrowed(name, value) == (value if left is None else left)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_secret_is_no_value_of_any_field(name: str) -> None:
    """Alone, as an item, as a parameter, as a comment."""
    for value in (SECRET, f"a, {SECRET}", f"a;b={SECRET}", f"({SECRET})", f"{SECRET}/{SECRET}"):
        assert SECRET.lower() not in narrowed(name, value).lower()


@pytest.mark.parametrize("name", sorted(FORMS))
def test_long_values_fall_away(name: str) -> None:
    """Whatever they say; but a condition of a change becomes one that never holds, or it would be made."""
    for value in ("gzip," * MAX_VALUE_CHARS, '"a",' * MAX_VALUE_CHARS, "1" * (MAX_VALUE_CHARS + 1)):
        assert narrowed(name, value) == NEVER_HOLDS.get(name, "")


def test_what_a_route_names_itself_is_left_alone() -> None:
    """A field without a form is the operator's own choice."""
    assert narrowed("x-mine", SECRET) == SECRET


PIECES = st.sampled_from(
    [
        *(value for _, value, _ in REAL),
        *list(',;="W/ \t-.*q01aZ:%\u00e9'),
        "gzip",
        "bytes=",
        "GMT",
        "2025-01-01",
    ]
)
VALUES = st.lists(PIECES, max_size=8).map("".join)


@given(st.sampled_from(sorted(FORMS)), VALUES | st.text(max_size=60))
def test_property_a_form_is_its_own_result(name: str, value: str) -> None:
    """No value is an error; what is left is printable ASCII of bounded length and is its own form."""
    left = narrowed(name, value)
    assert narrowed(name, left) == left
    assert len(left) <= 2 * MAX_VALUE_CHARS
    assert left.isascii()
    assert left == left.strip(" \t")


def test_the_channel_that_is_left_is_narrow() -> None:
    """Free text in 40 tries a field: of 200 random letters and digits no field carries more than 24 on."""
    rng = random.Random(11)
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    for name in sorted(FORMS.keys() - {"if-match", "if-none-match", "if-range", "if-unmodified-since"}):
        for _ in range(40):
            text = "".join(rng.choices(alphabet, k=200))
            assert narrowed(name, text) == ""
            assert narrowed(name, f"a/{text}") == ""
