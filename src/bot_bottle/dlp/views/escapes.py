"""JSON, percent and HTML escapes, in any nesting, undone together until nothing changes.

One layer for all: which of them was put on first does not matter, and a text in which JSON, URLs and markup are
mixed gives one view instead of one for each order. It may undo too much (``%2541`` that was meant so); the text as
it is, is looked at as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5

from bot_bottle.dlp.views.regions import MANY, Unescaped, regions
from bot_bottle.dlp.views.triggers import Sign, Signs

KIND = "escapes"
_HEX = rb"[0-9A-Fa-f]"
_UNICODE = rb"\\\\{0,15}u" + _HEX + rb"{4}"
_PATTERN = re.compile(
    rb"%%%(h)b{2}(?:%%%(h)b{2})*|%(u)b(?:%(u)b)*|\\\\{0,15}(?:u\{%(h)b{1,6}\}|U%(h)b{8}|x%(h)b{2}|/)|%%u%(h)b{4}"
    rb"|&#[0-9]{1,7};?|&#[xX]%(h)b{1,6};?|&[A-Za-z][A-Za-z0-9]{1,31};" % {b"h": _HEX, b"u": _UNICODE}
)
"""JSON allows one backslash; JSON in JSON has three before ``u``: all that stand there belong to the escape. Each
alternative begins with a literal: only then does Python's engine skip quickly to where one may be"""
_UNICODE_UNIT = re.compile(_UNICODE)


def unescape(text: bytes, found: Signs) -> Iterator[tuple[int, int, Unescaped]]:
    """The parts of *text* in which characters that tokens are made of are escaped: span, and what they read."""
    for start, end in regions(found.places(Sign.ESCAPE, 0, MANY), len(text)):
        part = Unescaped(text[start:end], start, _PATTERN, one, _units)
        if part.changed:
            yield start, end, part


def one(escape: bytes) -> bytes:
    """What one escape, or a row of percent or ``\\u`` escapes, stands for; itself if it stands for nothing."""
    if escape[:1] == b"%":
        if escape[1:2] == b"u":
            return _char(int(escape[2:], 16), escape)
        return bytes.fromhex(escape.replace(b"%", b"").decode("ascii"))
    if escape[:1] == b"&":
        return _entity(escape)
    body = escape.lstrip(b"\\")
    if body == b"/":
        return body
    if body[:1] == b"x":
        return bytes.fromhex(body[1:].decode("ascii"))
    if body[:1] == b"U" or body[1:2] == b"{":
        return _char(int(body[1:].strip(b"{}"), 16), escape)
    codes = [code[-4:] for code in _UNICODE_UNIT.findall(escape)]
    return bytes.fromhex(b"".join(codes).decode("ascii")).decode("utf-16-be", "replace").encode("utf-8")


def _entity(escape: bytes) -> bytes:
    if escape[1:2] != b"#":
        chars = html5.get(escape[1:].decode("ascii"))
        return escape if chars is None else chars.encode("utf-8")
    digits = escape[2:].rstrip(b";")
    code = int(digits[1:], 16) if digits[:1] in b"xX" else int(digits)
    return _char(code, escape)


def _char(code: int, escape: bytes) -> bytes:
    return chr(code).encode("utf-8") if code < 0xD800 or 0xDFFF < code < 0x110000 else escape


def _units(escape: bytes) -> list[int]:
    """Lengths of the single escapes in a row; surrogates stay together."""
    if escape[:1] == b"%" and escape[1:2] != b"u":
        return [3] * (len(escape) // 3)
    if escape[:1] != b"\\" or escape.lstrip(b"\\")[:1] != b"u" or b"{" in escape:
        return [len(escape)]
    sizes: list[int] = []
    high = False
    for unit in _UNICODE_UNIT.findall(escape):
        if high and 0xDC00 <= int(unit[-4:], 16) <= 0xDFFF:
            sizes[-1] += len(unit)
            high = False
            continue
        sizes.append(len(unit))
        high = 0xD800 <= int(unit[-4:], 16) <= 0xDBFF
    return sizes
