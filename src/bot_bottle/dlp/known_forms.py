"""Where an encoded form of a known secret begins and ends in a text: one linear pattern (RE2) for each family of
spellings, made when a gram of the secret was found and not before.

*plain*: each character as it is or by any escape (percent in any depth, JSON, HTML, C, quoted-printable), mixed as
an encoder likes; zero bytes of UTF-16 and UTF-32 and soft line breaks between them. *hex*, *decimal*, *octal*: by
number, with separators. Base64 and its like: both alphabets, line breaks of any width, raw or escaped.

Patterns hold secrets: RE2 is told not to log, and an error is raised without its text.
"""

from __future__ import annotations

import base64
import html.entities
from collections.abc import Callable
from typing import Any

import re2

from bot_bottle.dlp.variants import Variant, base58, blocks, rot13

_MAX_MEM = 64 << 20
"""For RE2's states; what exceeds it is slower, not wrong"""
_LONG_BYTES = 512
"""Longer values (keys in PEM) are looked for in fewer mixtures: a pattern has 60 instructions a character"""

_BREAK = (
    rb"(?:\r?\n[ \t]{0,8}|(?:\\{1,4}r)?\\{1,4}n[ \t]{0,8}|(?:%(?:25)*0[dD])?%(?:25)*0[aA]|=\r?\n"
    rb"|(?:&#(?:13|[xX]0?[dD]);)?&#(?:10|[xX]0?[aA]);)?"
)
"""A line's end in any spelling, or nothing"""
_WIDE = rb"(?:\x00{1,3}|=(?:\r?\n|(?:\\{1,4}r)?\\{1,4}n))?"
"""Between characters: what UTF-16 and UTF-32 have there, and quoted-printable's soft break"""
_NUMBER_MARK = rb"(?:\\{0,4}(?:0?[xX])|\\{1,4}u\{?|\\{1,4}u00|%(?:25)*|=|#)?"
_BETWEEN = (
    rb"(?:[^0-9A-Za-z]{1,4}|[^0-9A-Za-z]{0,2}\\{1,4}[nrt][ \t]{0,8}|%(?:25)*(?:20|3[aA]|2[cCdD]|0[aA]))?"
)


def compile_pattern(pattern: bytes) -> Any:
    """A searcher over bytes. :raises ValueError: RE2 can't take it (too long); the message has none of it."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = _MAX_MEM
    options.never_capture = True
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error:
        pass
    raise ValueError("a known secret is too long for a pattern")


def family(kind: str) -> str:
    """The pattern that tells where a variant of *kind* lies."""
    return _FAMILIES.get(kind, kind if "/" in kind or kind in _SINGLE else "plain")


_SINGLE = frozenset(("base58", "reversed", "rot13"))
_FAMILIES = {"hex": "hex", "hex x": "hex", "hex 0x": "hex", "decimal": "decimal", "octal all": "octal"}


def families(kind: str) -> tuple[str, ...]:
    """Those of :func:`family` that are to be tried when a variant of *kind* was seen, the more general first."""
    own = family(kind)
    return ("plain", own) if own in ("hex", "decimal", "octal") else (own,)


def pattern(value: bytes, name: str) -> bytes:
    """The expression for one family of *value*."""
    if name == "plain":
        return _plain(value, folds=len(value) >= 16)
    if name == "hex":
        return _numbers(value, lambda byte: b"(?i:%02x)" % byte)
    if name == "decimal":
        return _numbers(value, lambda byte: b"0{0,2}%d" % byte, apart=True)
    if name == "octal":
        return _numbers(value, lambda byte: b"0?%03o" % byte)
    if name == "base58":
        return _quoted(base58(value))
    if name in ("reversed", "rot13"):
        return _plain(value[::-1] if name == "reversed" else rot13(value), folds=False)
    return _blocks(blocks(value, name), value)


def _quoted(data: bytes) -> bytes:
    return b"".join(_literal(byte) for byte in data)


def _literal(byte: int) -> bytes:
    return bytes([byte]) if bytes([byte]).isalnum() else b"\\x%02x" % byte


def _plain(value: bytes, folds: bool) -> bytes:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    long = len(value) > _LONG_BYTES
    if text and not value.isascii():
        parts = [_wide_character(character, folds) for character in text]
    elif long:
        parts = [_short_character(byte) for byte in value]
    else:
        parts = [_character(byte, folds) for byte in value]
    found = (b"" if long else _WIDE).join(parts)
    utf7 = text.encode("utf-7")
    return found if utf7 in (value, b"") else b"(?:" + found + b"|" + _quoted(utf7) + b")"


def _character(byte: int, folds: bool) -> bytes:
    """One ASCII character, or one byte, in every escape."""
    digits = b"(?i:%02x)" % byte
    escaped = (
        b"u00" + digits,
        b"U000000" + digits,
        rb"[ux]\{0{0,8}" + digits + rb"\}",
        b"x" + digits,
        b"%03o" % byte,
    )
    ways = [
        _itself(byte, folds),
        b"[%=](?:25)*" + digits,
        b"%(?:25)*u00" + digits,
        rb"\\{1,4}(?:" + b"|".join(escaped) + b")",
        rb"&(?:amp;)*#(?:0*%d|[xX]0*" % byte + digits + b");?",
    ]
    names = _names(byte)
    if names:
        ways.append(rb"&(?:amp;)*(?:" + b"|".join(names) + b")")
    ways += _WHITE_SPACE.get(byte, ())
    return b"(?:" + b"|".join(ways) + (b")?" if byte in b"\r\n" else b")")


_WHITE_SPACE = {
    0x20: (rb"\+",),
    0x0A: (rb"\r\n", rb"(?:\\{1,4}r)?\\{1,4}n", rb"%(?:25)*0[dD]%(?:25)*0[aA]", b" "),
    0x0D: (rb"\\{1,4}r",),
    0x09: (rb"\\{1,4}t",),
}


def _itself(byte: int, folds: bool) -> bytes:
    character = bytes([byte])
    if character.isalpha() and folds:
        return b"[" + character.lower() + character.upper() + b"]"
    return _literal(byte) if character.isalnum() else rb"\\{0,4}" + _literal(byte)


def _is_plain(byte: int) -> bool:
    return bytes([byte]).isalnum()


def _names(byte: int) -> list[bytes]:
    if _is_plain(byte) or byte > 0x7F:
        return []
    names = (name for name, text in html.entities.html5.items() if text == chr(byte) and name.endswith(";"))
    return [_quoted(name.encode()) for name in names]


def _short_character(byte: int) -> bytes:
    """For long values: as it is, by percent, and line ends in every spelling."""
    if byte == 0x0A:
        return rb"(?:\r?\n|(?:\\{1,4}r)?\\{1,4}n|(?:%(?:25)*0[dD])?%(?:25)*0[aA]| )?"
    if byte == 0x0D:
        return rb"(?:\r)?"
    if _is_plain(byte):
        return bytes([byte])
    digits = b"(?i:%02x)" % byte
    return rb"(?:\\{0,4}" + _literal(byte) + b"|[%=](?:25)*" + digits + rb"|\\{1,4}u00" + digits + rb")"


def _wide_character(character: str, folds: bool) -> bytes:
    """A character of a value with others than ASCII."""
    data = character.encode()
    if len(data) == 1:
        return _character(data[0], folds)
    units = character.encode("utf-16-be").hex()
    halves = [units[at : at + 4].encode() for at in range(0, len(units), 4)]
    ways = [
        b"|".join(_quoted(one.encode()) for one in {character, character.lower(), character.upper()}),
        b"".join(b"[%%=](?:25)*(?i:%02x)" % byte for byte in data),
        b"".join(rb"\\{1,4}u(?i:" + half + b")" for half in halves),
        b"".join(rb"%(?:25)*u(?i:" + half + b")" for half in halves),
        rb"\\{1,4}U(?i:%08x)" % ord(character),
        rb"[\\]{1,4}u\{0*(?i:%x)\}" % ord(character),
        rb"&(?:amp;)*#(?:0*%d|[xX]0*(?i:%x));?" % (ord(character), ord(character)),
    ]
    for codec in ("utf-16-be", "utf-16-le", "latin-1"):
        try:
            ways.append(_quoted(character.encode(codec)))
        except UnicodeEncodeError:
            pass
    return b"(?:" + b"|".join(ways) + b")"


def _numbers(value: bytes, one: Callable[[int], bytes], apart: bool = False) -> bytes:
    between = rb"[^0-9A-Za-z]{1,4}" if apart else _BETWEEN + _NUMBER_MARK
    return between.join(one(byte) for byte in value)


def _blocks(variant: Variant, value: bytes) -> bytes:
    """Base64, base32, base85: characters with line breaks in between."""
    name, _, offset = variant.kind.partition("/")
    one = _BLOCK_CHARACTERS[name]
    text = _BREAK.join(one(byte) for byte in variant.data)
    if offset == "0" and name in ("base64", "base32", "base32hex"):
        text += _ending(variant, value, one)
    if offset == "0" and name in ("base85", "ascii85"):
        encode = base64.b85encode if name == "base85" else base64.a85encode
        rest = encode(value[len(variant.data) // 5 * 4 :])
        text += b"(?:" + b"".join(_BREAK + one(byte) for byte in rest) + b")?"
    return text


def _ending(variant: Variant, value: bytes, one: Callable[[int], bytes]) -> bytes:
    """The last character and the padding, if nothing follows the value."""
    name = variant.kind.partition("/")[0]
    whole = blocks(value + b"\0", variant.kind)
    last = whole.data[len(variant.data) : len(variant.data) + 1]
    pad = rb"(?:" + _BREAK + rb"(?:=|%(?:25)*3[dD]|\\{1,4}u003[dD]|&#61;)){0,6}"
    if len(value) * 8 % (6 if name == "base64" else 5) == 0 or not last:
        return pad
    return b"(?:" + _BREAK + one(last[0]) + b")?" + pad


def _base64(byte: int) -> bytes:
    if byte in b"+-":
        return rb"(?:[+\- ]|%(?:25)*2[bBdD]|\\{1,4}u002[bB]|&#43;|&plus;)"
    if byte in b"/_":
        return rb"(?:\\{0,4}/|_|%(?:25)*(?:2[fF]|5[fF])|\\{1,4}u002[fF]|&#47;|&#x2[fF];)"
    return bytes([byte])


def _base32(byte: int) -> bytes:
    character = bytes([byte])
    return b"[" + character.lower() + character.upper() + b"]" if character.isalpha() else character


def _base85(byte: int) -> bytes:
    if _is_plain(byte):
        return bytes([byte])
    digits = b"(?i:%02x)" % byte
    return (
        rb"(?:\\{0,4}"
        + _literal(byte)
        + b"|%(?:25)*"
        + digits
        + rb"|\\{1,4}u00"
        + digits
        + (rb"|" + b"|".join(_names(byte)) if byte in b"<>&\"'" else b"")
        + b")"
    )


_BLOCK_CHARACTERS = {
    "base64": _base64,
    "base32": _base32,
    "base32hex": _base32,
    "base85": _base85,
    "z85": _base85,
    "ascii85": _base85,
}
