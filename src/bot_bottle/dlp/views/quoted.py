"""Quoted-printable (RFC 2045 section 6.7) and UTF-7 (RFC 2152)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from bot_bottle.dlp.views.regions import MANY, Unescaped, regions
from bot_bottle.dlp.views.triggers import Sign, Signs

_QUOTED = re.compile(rb"=[0-9A-Fa-f]{2}(?:=[0-9A-Fa-f]{2})*|=[ \t]{0,4}(?:\r?\n|(?:\\r)?\\n)")
_UTF7 = re.compile(rb"\+[A-Za-z0-9+/]{3,}-?")


def quoted(text: bytes, found: Signs) -> Iterator[tuple[int, int, Unescaped]]:
    """The parts of *text* around ``=XX`` and soft line breaks, those in JSON strings too."""
    for start, end in regions(found.places(Sign.QUOTED, 0, MANY), len(text)):
        yield start, end, Unescaped(text[start:end], start, _QUOTED, _unquote, _quoted_units, 2)


def _unquote(escape: bytes) -> bytes:
    if escape[1:2] in b" \t\r\n\\":
        return b""
    return bytes.fromhex(escape.replace(b"=", b"").decode("ascii"))


def _quoted_units(escape: bytes) -> list[int]:
    return [len(escape)] if _unquote(escape) == b"" else [3] * (len(escape) // 3)


def utf7(text: bytes, found: Signs) -> Iterator[tuple[int, int, Unescaped]]:
    """The parts of *text* around UTF-7's shifted sequences."""
    for start, end in regions(found.places(Sign.UTF7, 0, MANY), len(text)):
        yield start, end, Unescaped(text[start:end], start, _UTF7, _shifted, lambda escape: [len(escape)], 1)


def _shifted(escape: bytes) -> bytes:
    chars = escape[1:].rstrip(b"-")
    chars = chars[: len(chars) - (len(chars) % 4 == 1)]
    data = binascii.a2b_base64(chars + b"=" * (-len(chars) % 4))
    return data[: len(data) & ~1].decode("utf-16-be", "replace").encode("utf-8")
