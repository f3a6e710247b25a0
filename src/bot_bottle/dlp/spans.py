"""Where a secret ends that is a block of lines: PEM, PGP and PuTTY keys, and JSON web tokens. Pure."""

from __future__ import annotations

import re2

BLOCK = 16 * 1024
"""The longest block that is followed, in bytes: an RSA key of 16,384 bits has 12.7 KiB."""

_END = re2.compile(rb"-----END [A-Z0-9 ]{0,30}-----")
_PUTTY_END = re2.compile(rb"Private-MAC: [0-9a-f]{40,64}")
_PARTS = re2.compile(rb"[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,4}")
"""the rest of a JWS (three parts) or JWE (five)"""
_BODY = re2.compile(rb"(?:[A-Za-z0-9+/=\s]|\\{1,4}[nrt])*")


TOKEN = "json-web-token"  # noqa: S105


def extended(rule: str, text: bytes, start: int, end: int) -> int:
    """Where the secret at *start* really ends, of which the pattern of *rule* has seen what comes before *end*."""
    if rule == TOKEN:
        rest = _PARTS.match(text[end : start + BLOCK])
        return end + (len(rest.group().rstrip(b".")) if rest is not None else 0)
    found = _ENDS[rule].search(text[end : start + BLOCK])
    if found is not None:
        return end + int(found.end())
    body = _BODY.match(text[end : start + BLOCK])
    return end + (len(body.group().rstrip()) if body is not None else 0)


_ENDS = {
    "private-key-pem": _END,
    "pgp-private-key": _END,
    "gcp-service-account-key": _END,
    "putty-private-key": _PUTTY_END,
}
FOLLOWED = frozenset({TOKEN, *_ENDS})
"""The rules whose secret is longer than their pattern."""
