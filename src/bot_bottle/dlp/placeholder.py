"""Values that stand for a credential and are none: ``sk-xxxx…``, ``<your-token>``, ``${TOKEN}``, the examples of AWS.

Only the value itself counts, never what stands around it, and words in it only as far as nothing is left without
them: a real key with ``example`` behind it is a real key. Pure and linear.
"""

from __future__ import annotations

import re

import re2

PUBLISHED = frozenset(
    {
        b"AKIAIOSFODNN7EXAMPLE",
        b"AKIAI44QH8DHBEXAMPLE",
        b"ASIAIOSFODNN7EXAMPLE",
        b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        b"je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
        # the emulators' account keys, the same for everybody (Azurite, Cosmos DB emulator)
        b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        b"C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
        # RFC 6749, RFC 6750, RFC 7617
        b"2YotnFZFEjr1zCsicMWpAA",
        b"tGzv3JOkF0XG5Qx2TlKWIA",
        b"mF_9.B5f-4.1JqM",
        b"czZCaGRSa3F0MzpnWDFmQmF0M2JW",
        b"placeholder-the-credential-stays-outside-the-bottle",
    }
)
"""Values that vendors print in their own documents, and what bot-bottle itself gives to agents."""

_TEMPLATE = re2.compile(
    rb"\$\{|\{\{|\}\}|\$\(|\$[A-Z_]{3}|%\(|%[A-Z_]+%|<[A-Za-z]|\.\.\.|\*\*\*|\xe2\x80\xa6|\[[A-Za-z_ -]+\]|"
    rb"process\.env|os\.environ|getenv|import\.meta|secrets?\.[A-Za-z]|^(?:env|vault|ssm|arn|file|op|ref\+\w+):|"
    rb"^#\{|^@[A-Za-z]|^!(?:Ref|Sub|GetAtt|vault)"
)
"""Marks of templates and of references to where the value is kept."""

_WORDS = re2.compile(
    rb"(?i)example|sample|placeholder|change_?-?me|redacted|dummy|insert|replace|removed|masked|hidden|"
    rb"your|here|fake|mock|test(?:ing|only)?|demo|foo(?:bar)?|bar|baz|qux|lorem|ipsum|todo|none|null|undefined|"
    rb"some|any|my|the|not|real|valid|invalid|secret|token|api|key|password|passwd|value|string|random|access|"
    rb"private|public|client|auth|bearer|personal|account|user|name|project|service|deadbeef|cafebabe|c0ffee|"
    rb"abc|xyz|asdf|qwerty|123"
)
_LONG_WORDS = re2.compile(rb"(?i)example|placeholder|change_?-?me|redacted|_here$|-here$|^your[_-]|deadbeef")
_PUNCTUATION = b"-_ ./+:=~,;|"

_ORDER = (
    b"0123456789012345678909876543210abcdefghijklmnopqrstuvwxyzabcdef0123456789zyxwvutsrqponmlkjihgfedcba"
)
_KEYBOARD = b"qwertyuiopasdfghjklzxcvbnm"
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)
_STEP = 4
LEAST_LEFT = 10
"""Characters that must be left once words, runs and sequences are gone."""


def is_placeholder(value: bytes, prefix: bytes = b"", *, fixed: bool = False) -> bool:
    """Whether *value* is no credential.

    :param prefix: its constant beginning, which says nothing.
    :param fixed: the format has one length, so that a word inside was not put behind a real one.
    """
    if value in PUBLISHED or any(
        published in value for published in PUBLISHED if len(published) * 2 > len(value)
    ):
        return True
    body = value[len(prefix) :] if value.startswith(prefix) else value
    if _TEMPLATE.search(body[:256]) is not None:
        return True
    if fixed and _LONG_WORDS.search(body) is not None:
        return True
    return len(set(body)) < 4 or _left(body) < min(LEAST_LEFT, max(4, len(body) // 2))


def _left(body: bytes) -> int:
    """How many characters of *body* are neither of a word, a run, a sequence nor punctuation."""
    body = _WORDS.sub(b" ", body[:512])
    body = _RUN.sub(b" ", body)
    body = _without_sequences(body)
    body = _without_repeats(body.translate(None, _PUNCTUATION))
    return len(body)


def _without_sequences(body: bytes) -> bytes:
    """Without what counts up or down, or goes along a row of the keyboard, for four characters and more."""
    out = bytearray()
    lower = body.lower()
    at = 0
    while at < len(body):
        size = _sequence(lower, at)
        if size < _STEP:
            size = 1
            out += body[at : at + 1]
        at += size
    return bytes(out)


def _sequence(lower: bytes, at: int) -> int:
    """Length of the sequence that begins at *at*; below four if there is none."""
    window = lower[at : at + _STEP]
    if len(window) < _STEP or not (window in _ORDER or window in _KEYBOARD):
        return 1
    size = _STEP
    while at + size < len(lower) and (
        lower[at + size - 3 : at + size + 1] in _ORDER or lower[at + size - 3 : at + size + 1] in _KEYBOARD
    ):
        size += 1
    return size


def _without_repeats(body: bytes) -> bytes:
    """*body* once, where it is one short piece over and over."""
    for period in range(1, min(17, len(body) // 2 + 1)):
        if body[period:] == body[:-period]:
            return body[:period]
    return body
