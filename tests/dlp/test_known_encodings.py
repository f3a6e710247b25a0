"""Every encoding of dlp.md §2 of every kind of value, at every alignment, in every surrounding: found, and where.

The encoders are written here, with the standard library where it has one, apart from ``dlp.variants``.
"""

from __future__ import annotations

import base64
import html
import html.entities
import json
import quopri
import random
import string
import urllib.parse
from collections.abc import Callable

import pytest

from bot_bottle.dlp.known import Kind, Known, KnownSecrets

SOURCE = random.Random(1611)


def chosen(alphabet: str, size: int) -> str:
    return "".join(SOURCE.choice(alphabet) for _ in range(size))


VALUES = {
    "token": "sk-ant-api03-" + chosen(string.ascii_letters + string.digits + "-_", 80),
    "base62": chosen(string.ascii_letters + string.digits, 40),
    "short": chosen(string.ascii_letters + string.digits, 10),
    "hex": chosen("0123456789abcdef", 32),
    "base64": base64.b64encode(SOURCE.randbytes(33)).decode() + "+/==",
    "password": "Kj9\"x&<q>\\w/z=+%7Rv'#m",
    "words": "correct-horse-battery-staple",
    "not ascii": "pä$$wörtchen–Zü9Kq",
    "spaces": "Hq8 tW2 zK5 vB1 nM4 xC7",
}


def url_safe(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def wrapped(width: int, end: bytes) -> Callable[[bytes], bytes]:
    def encode(data: bytes) -> bytes:
        text = base64.b64encode(data)
        return end.join(text[at : at + width] for at in range(0, len(text), width))

    return encode


def base58(data: bytes) -> bytes:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        out = alphabet[rest] + out
    return out.encode()


def z85(data: bytes) -> bytes:
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    out = ""
    for at in range(0, len(data) - 3, 4):
        number = int.from_bytes(data[at : at + 4], "big")
        out += "".join(alphabet[number // 85**place % 85] for place in (4, 3, 2, 1, 0))
    return out.encode()


def nested_percent(depth: int) -> Callable[[bytes], bytes]:
    return lambda data: b"".join(b"%" + b"25" * (depth - 1) + b"%02X" % byte for byte in data)


def each(form: str) -> Callable[[bytes], bytes]:
    return lambda data: "".join(form.format(byte) for byte in data).encode()


def each_character(form: str) -> Callable[[bytes], bytes]:
    return lambda data: "".join(form.format(ord(character)) for character in data.decode()).encode()


def utf16_units(data: bytes) -> bytes:
    raw = data.decode().encode("utf-16-be")
    return b"".join(b"\\u" + raw[at : at + 2].hex().encode() for at in range(0, len(raw), 2))


def joined(form: str, between: str) -> Callable[[bytes], bytes]:
    return lambda data: between.join(form.format(byte) for byte in data).encode()


def rot13(data: bytes) -> bytes:
    turned = string.ascii_lowercase[13:] + string.ascii_lowercase[:13]
    table = bytes.maketrans(
        (string.ascii_lowercase + string.ascii_uppercase).encode(), (turned + turned.upper()).encode()
    )
    return data.translate(table)


def named(data: bytes) -> bytes:
    names = {
        text: name for name, text in sorted(html.entities.html5.items(), reverse=True) if name.endswith(";")
    }
    return "".join(
        "&" + names[one] if one in names and ord(one) < 128 else one for one in data.decode()
    ).encode()


def soft_breaks(data: bytes) -> bytes:
    text = quopri.encodestring(data, quotetabs=True).replace(b"=\n", b"")
    return b"=\r\n".join(text[at : at + 20] for at in range(0, len(text), 20))


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "base64": base64.b64encode,
    "base64, no padding": lambda data: base64.b64encode(data).rstrip(b"="),
    "base64, URL-safe": base64.urlsafe_b64encode,
    "base64, URL-safe, no padding": url_safe,
    "base64 by 76": wrapped(76, b"\n"),
    "base64 by 64, CRLF": wrapped(64, b"\r\n"),
    "base64 by 19": wrapped(19, b"\n"),
    "base64 by 4": wrapped(4, b"\n"),
    "base64 by 16, escaped": wrapped(16, b"\\n"),
    "base64 by 5, escaped CRLF": wrapped(5, b"\\r\\n"),
    "base64 in JSON": lambda data: base64.b64encode(data).replace(b"/", b"\\/"),
    "base64 in a form": lambda data: urllib.parse.quote_plus(base64.b64encode(data)).encode(),
    "base32": base64.b32encode,
    "base32, lower": lambda data: base64.b32encode(data).lower(),
    "base32, no padding": lambda data: base64.b32encode(data).rstrip(b"="),
    "base32hex": base64.b32hexencode,
    "base32hex, lower": lambda data: base64.b32hexencode(data).lower(),
    "base58": base58,
    "base85": base64.b85encode,
    "ascii85": base64.a85encode,
    "ascii85, framed": lambda data: base64.a85encode(data, adobe=True),
    "ascii85, wrapped": lambda data: base64.a85encode(data, wrapcol=20),
    "z85": z85,
    "hex": lambda data: data.hex().encode(),
    "hex, upper": lambda data: data.hex().upper().encode(),
    "hex with colons": lambda data: data.hex(":").encode(),
    "hex with spaces": lambda data: data.hex(" ").encode(),
    "hex with hyphens": lambda data: data.hex("-").upper().encode(),
    "hex in C": each("\\x{:02x}"),
    "hex in JSON in C": each("\\\\x{:02x}"),
    "hex 0x": joined("0x{:02x}", ", "),
    "hex 0x, upper": joined("0X{:02X}", ","),
    "hex 0x, spaces": joined("0x{:02x}", " "),
    "decimal": joined("{}", ", "),
    "decimal, commas": joined("{}", ","),
    "octal": each("\\{:03o}"),
    "percent": lambda data: urllib.parse.quote(data, safe="").encode(),
    "percent, slashes": lambda data: urllib.parse.quote(data).encode(),
    "percent, form": lambda data: urllib.parse.quote_plus(data).encode(),
    "percent, twice": lambda data: urllib.parse.quote(urllib.parse.quote(data, safe=""), safe="").encode(),
    "percent, all": each("%{:02X}"),
    "percent, all, lower": each("%{:02x}"),
    **{f"percent, {depth} deep": nested_percent(depth) for depth in range(2, 11)},
    "percent-u": each_character("%u{:04x}"),
    "JSON": lambda data: json.dumps(data.decode())[1:-1].encode(),
    "JSON, not ASCII": lambda data: json.dumps(data.decode(), ensure_ascii=False)[1:-1].encode(),
    "JSON, twice": lambda data: json.dumps(json.dumps(data.decode()))[3:-3].encode(),
    "JSON, all": utf16_units,
    "Python, all": each_character("\\U{:08x}"),
    "JavaScript, all": each_character("\\u{{{:x}}}"),
    "JavaScript, all, zeros": each_character("\\u{{{:06x}}}"),
    "HTML": lambda data: html.escape(data.decode()).encode(),
    "HTML, decimal": each_character("&#{};"),
    "HTML, decimal, zeros": each_character("&#{:07d};"),
    "HTML, decimal, open": each_character("&#{:d}"),
    "HTML, hex": each_character("&#x{:x};"),
    "HTML, hex, zeros": each_character("&#X{:08X};"),
    "HTML, named": named,
    "quoted-printable": lambda data: quopri.encodestring(data).replace(b"=\n", b""),
    "quoted-printable, all": each("={:02X}"),
    "quoted-printable, soft breaks": soft_breaks,
    "reversed": lambda data: data[::-1],
    "ROT13": rot13,
    "UTF-16, little": lambda data: data.decode().encode("utf-16-le"),
    "UTF-16, big": lambda data: data.decode().encode("utf-16-be").lstrip(b"\0"),
    "UTF-32, little": lambda data: data.decode().encode("utf-32-le"),
    "UTF-32, big": lambda data: data.decode().encode("utf-32-be").lstrip(b"\0"),
    "UTF-7": lambda data: data.decode().encode("utf-7"),
    "upper case": lambda data: data.decode().upper().encode(),
    "lower case": lambda data: data.decode().lower().encode(),
}
"""Encodings of a value alone"""

SURROUNDINGS = {
    "alone": (b"", b""),
    "in JSON": (b'{"model": "x", "content": "set it to ', b' and go on", "n": 12}'),
    "in a query": (b"GET /v1/items?note=", b"&page=2 HTTP/1.1"),
    "in binary data": (bytes(range(128, 250)), bytes(range(255, 130, -1))),
    "in code": (b"def f(x):\n    return '", b"'\n\n\nclass Nothing(Base):\n"),
}


@pytest.fixture(scope="module")
def known() -> KnownSecrets:
    """All of them together, so that they are told apart as well."""
    return KnownSecrets({name: Known(value.encode(), Kind.ENV) for name, value in VALUES.items()})


def cases() -> list[tuple[str, str]]:
    skipped = {("upper case", "short"), ("lower case", "short"), ("z85", "short")}
    return [(name, encoding) for name in VALUES for encoding in ENCODINGS if (encoding, name) not in skipped]


@pytest.mark.parametrize(("name", "encoding"), cases())
def test_each_encoding(known: KnownSecrets, name: str, encoding: str) -> None:
    """As one exact form, of which not a character is left out that tells of the value."""
    form = ENCODINGS[encoding](VALUES[name].encode())
    for before, after in SURROUNDINGS.values():
        text = before + form + after
        hits = [hit for hit in known.scan(text) if hit.rule == name and hit.exact]
        assert hits, (name, encoding, before)
        left = len(form) - (hits[0].end - hits[0].start)
        assert hits[0].start >= len(before) and hits[0].end <= len(before) + len(form) + 2
        assert left <= 6, (left, encoding)


ALIGNED: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "base64": (3, base64.b64encode),
    "base64, URL-safe": (3, base64.urlsafe_b64encode),
    "base64 by 11": (3, wrapped(11, b"\r\n")),
    "base32": (5, base64.b32encode),
    "base32hex": (5, base64.b32hexencode),
    "base85": (4, base64.b85encode),
    "ascii85": (4, base64.a85encode),
    "z85": (4, lambda data: z85(data + b"\0" * (-len(data) % 4))),
}


@pytest.mark.parametrize("name", [name for name in VALUES if name != "short"])
@pytest.mark.parametrize("encoding", ALIGNED)
def test_each_alignment(known: KnownSecrets, name: str, encoding: str) -> None:
    """Encoded together with what stands before and behind it."""
    size, encode = ALIGNED[encoding]
    for before in range(2 * size):
        for behind in range(size):
            text = b"x " + encode(b"\x81" * before + VALUES[name].encode() + b"\x92" * behind) + b" y"
            assert any(hit.rule == name for hit in known.scan(text)), (before, behind)
