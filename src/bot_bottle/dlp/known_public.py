"""Which bytes of a secret are no secret (rulings 12 and 54): a part of them in a text is no evidence, and who knows
them could otherwise guess his way along: twelve characters of which eleven are known are found with 62 requests.

Public is whatever another credential of the same format has too: prefixes and infixes of vendors, a JWT's header
and the claims that are registered or can be guessed, PEM armour, and of a key's encoding all but its private
numbers. Unknown formats have nothing public.

Pure; raises nothing: what can't be parsed is private.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from urllib.parse import unquote_to_bytes

from bot_bottle.dlp.known_formats import constant_parts
from bot_bottle.dlp.known_keys import private_spans

_ARMOUR = re.compile(rb"-----(?:BEGIN|END) [A-Z0-9 ]{0,40}-----|---- (?:BEGIN|END) [A-Z0-9 ]{0,40}----")
_PEM_HEADER = re.compile(rb"(?m)^[A-Za-z-]{1,32}: [^\n]{0,256}$")
_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{2,16384}\.[A-Za-z0-9_-]{0,8192}")
_URL = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.-]{1,32}://(?:[^/?#@:\s]{0,256}(?::([^/?#@\s]{1,1024}))?@)?[^/?#\s]{0,256}"
)
_BASE64_LINES = re.compile(rb"[A-Za-z0-9+/=\r\n\t ]{16,65536}")
_LITERAL_ESCAPES = re.compile(rb"\\r|\\n")
_JSON_PUBLIC_LENGTH = 16
"""A string in a JSON secret that is shorter, or has a space or an address in it, is no secret of its own"""
_GUESSABLE = re.compile(r"[a-z]{2,16}://|@|\s|^[0-9.-]*$")


def public_mask(value: bytes) -> bytes:
    """One byte for each of *value*: 1 public, 0 private."""
    mask = bytearray(len(value))
    url = _URL.match(value)
    if url is not None and url[1] is not None:
        _mark(mask, 0, len(value))
        _mark(mask, url.start(1), url.end(1), 0)
    elif url is not None and url.end() < len(value):
        _mark(mask, 0, url.end())
    for begin in (0, value.find(b"://") + 3):
        for start, end in constant_parts(value[begin:]):
            _mark(mask, begin + start, begin + end)
    for jwt in _JWT.finditer(value):
        _jwt(mask, value, jwt.start(), jwt.end())
    if value.lstrip()[:1] == b"{":
        _json(mask, value)
    _pem(mask, value)
    return bytes(mask)


def password(value: bytes) -> bytes:
    """Of an address with a password in it: the password, which is a secret by itself. Empty: there is none."""
    url = _URL.match(value)
    return unquote_to_bytes(url[1]) if url is not None and url[1] is not None else b""


def _mark(mask: bytearray, start: int, end: int, what: int = 1) -> None:
    mask[start:end] = bytes([what]) * (end - start)


def _jwt(mask: bytearray, value: bytes, start: int, end: int) -> None:
    """Header public; of the claims only strings of some length under names of the issuer's own stay private."""
    header, payload, _signature = value[start:end].split(b".")
    at = start + len(header) + 1
    _mark(mask, start, at)
    try:
        claims = base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))
    except (binascii.Error, ValueError):
        return
    inner = bytearray(b"\1" * len(claims))
    _private_strings(inner, claims, skip=_REGISTERED)
    for index in range(len(payload)):
        low, high = index * 6 // 8, (index * 6 + 5) // 8
        mask[at + index] = max(inner[low : high + 1], default=1)
    mask[at + len(payload)] = 1


_REGISTERED = frozenset(
    re.findall(
        r"[a-z]+",
        "iss sub aud exp nbf iat jti azp scope scopes scp typ alg kid nonce sid amr acr email name role",
    )
)
"""RFC 7519 §4.1, OpenID Connect Core §2, and what else can be guessed"""


def _json(mask: bytearray, value: bytes) -> None:
    """A key file: names and what can be guessed are public. A PEM block in it is judged as one."""
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return
    _mark(mask, 0, len(mask))
    _private_strings(mask, value, skip=_IDENTITIES)


_IDENTITIES = frozenset(
    re.findall(
        r"[a-z_]+",
        "type project_id private_key_id client_id client_email quota_project_id universe_domain account region name",
    )
)
"""Names in key files (a Google service account's, for one) of what says whose key it is"""


def _private_strings(mask: bytearray, text: bytes, skip: frozenset[str]) -> None:
    """Clear the mask of JSON *text* where a string value may be secret."""
    for found in _MEMBER.finditer(text):
        name = found[1].decode("latin-1")
        content = found[2].decode("latin-1")
        if name in skip or len(content) < _JSON_PUBLIC_LENGTH:
            continue
        if "-----BEGIN" in content or not _GUESSABLE.search(content):
            _mark(mask, found.start(2), found.end(2), 0)


_MEMBER = re.compile(rb'"([^"\\]{1,128})"\s{0,8}:\s{0,8}"((?:[^"\\]|\\.)*+)"')


def _pem(mask: bytearray, value: bytes) -> None:
    """Armour, headers, and of the body all but private numbers."""
    marks = list(_ARMOUR.finditer(value))
    for mark in marks:
        _mark(mask, mark.start(), mark.end())
    for begin, end in zip(marks[::2], marks[1::2], strict=False):
        body = value[begin.end() : end.start()]
        for header in _PEM_HEADER.finditer(body):
            _mark(mask, begin.end() + header.start(), begin.end() + header.end())
        _key(mask, body, begin.end())
    if not marks and _BASE64_LINES.fullmatch(value):
        _key(mask, value, 0)


def _key(mask: bytearray, body: bytes, at: int) -> None:
    """*body* at offset *at* is base64, perhaps of a key in DER or OpenSSH's format."""
    blank = _LITERAL_ESCAPES.sub(b"  ", body)
    places = [index for index, byte in enumerate(blank) if byte in _BASE64 and not mask[at + index]]
    text = bytes(blank[index] for index in places)
    try:
        data = base64.b64decode(text + b"A" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
    private = private_spans(data)
    if private is None:
        return
    inner = bytearray(b"\1" * (len(data) + 3))
    for start, end in private:
        _mark(inner, start, end, 0)
    for index, place in enumerate(places):
        low, high = index * 6 // 8, (index * 6 + 5) // 8
        mask[at + place] = max(inner[low : high + 1], default=1)


_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
