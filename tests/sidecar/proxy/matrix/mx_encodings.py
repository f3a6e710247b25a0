"""Every encoding of a secret that dlp.md §2 names, written apart from the scanner: with the standard library where it
has one, else by hand from the format's description.

An encoding gives bytes that a receiver turns back into the secret. What it may be put into is the surface's
business (``mx_surfaces``).
"""

from __future__ import annotations

import base64
import codecs
import gzip
import quopri
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Encode = Callable[[str], bytes]

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


@dataclass(frozen=True)
class Encoding:
    name: str
    encode: Encode


def base58(secret: str) -> bytes:
    number = int.from_bytes(secret.encode(), "big")
    out = ""
    while number:
        number, rest = divmod(number, 58)
        out = BASE58[rest] + out
    return out.encode()


def z85(secret: str) -> bytes:
    raw = secret.encode() + b"\0" * (-len(secret) % 4)
    out = ""
    for at in range(0, len(raw), 4):
        value = int.from_bytes(raw[at : at + 4], "big")
        out += "".join(Z85[value // 85**power % 85] for power in range(4, -1, -1))
    return out.encode()


def wrapped(data: bytes, width: int, newline: bytes) -> bytes:
    return newline.join(data[at : at + width] for at in range(0, len(data), width))


def _raw(secret: str) -> Iterator[Encoding]:
    yield Encoding("as it is", lambda s: s.encode())
    yield Encoding("reversed", lambda s: s[::-1].encode())
    yield Encoding("rot13", lambda s: codecs.encode(s, "rot13").encode())
    if len(secret) >= 16:
        yield Encoding("upper case", lambda s: s.upper().encode())
        yield Encoding("lower case", lambda s: s.lower().encode())


def _base64() -> Iterator[Encoding]:
    for kind, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            lead = b"\x7f{:"[:shift]
            yield Encoding(f"{kind}, shifted by {shift}", lambda s, e=encode, p=lead: e(p + s.encode()))
            yield Encoding(
                f"{kind}, shifted by {shift}, no padding",
                lambda s, e=encode, p=lead: e(p + s.encode()).rstrip(b"="),
            )
    for width, name, newline in (
        (20, "LF", b"\n"),
        (64, "LF", b"\n"),
        (76, "CRLF", b"\r\n"),
        (8, "LF", b"\n"),
    ):
        yield Encoding(
            f"base64, lines of {width}, {name}",
            lambda s, w=width, n=newline: wrapped(base64.b64encode(b"user:" + s.encode()), w, n),
        )
    yield Encoding("base64 twice", lambda s: base64.b64encode(base64.b64encode(s.encode())))
    yield Encoding("base64 of JSON", lambda s: base64.b64encode(b'{"k": "%b"}' % s.encode()))


def _other_bases() -> Iterator[Encoding]:
    yield Encoding("base32", lambda s: base64.b32encode(s.encode()))
    yield Encoding("base32, lower case", lambda s: base64.b32encode(s.encode()).lower().rstrip(b"="))
    yield Encoding("base32hex", lambda s: base64.b32hexencode(s.encode()))
    yield Encoding("base58", base58)
    yield Encoding("base85 (RFC 1924)", lambda s: base64.b85encode(s.encode()))
    yield Encoding("ascii85", lambda s: base64.a85encode(s.encode()))
    yield Encoding("z85", z85)


def _hexadecimal() -> Iterator[Encoding]:
    for name, separator in (("", ""), (":", ":"), ("space", " "), ("-", "-"), (", ", ", ")):
        yield Encoding(
            f"hex {name}".strip(), lambda s, p=separator: p.join(f"{b:02x}" for b in s.encode()).encode()
        )
        yield Encoding(
            f"HEX {name}".strip(), lambda s, p=separator: p.join(f"{b:02X}" for b in s.encode()).encode()
        )
    yield Encoding("hex \\x", lambda s: "".join(f"\\x{b:02x}" for b in s.encode()).encode())
    yield Encoding("hex 0x", lambda s: " ".join(f"0x{b:02x}" for b in s.encode()).encode())
    yield Encoding("hex 0x,", lambda s: ",".join(f"0x{b:02X}" for b in s.encode()).encode())


def _escapes() -> Iterator[Encoding]:
    yield Encoding("percent, all", lambda s: "".join(f"%{b:02x}" for b in s.encode()).encode())
    yield Encoding("percent, ALL", lambda s: "".join(f"%{b:02X}" for b in s.encode()).encode())
    yield Encoding("percent, twice", lambda s: "".join(f"%25{b:02X}" for b in s.encode()).encode())
    yield Encoding("percent, every other", _every_other)
    yield Encoding("JSON \\u", lambda s: "".join(f"\\u{ord(c):04x}" for c in s).encode())
    yield Encoding("JSON \\U", lambda s: "".join(f"\\u{ord(c):04X}" for c in s).encode())
    yield Encoding("HTML decimal", lambda s: "".join(f"&#{ord(c)};" for c in s).encode())
    yield Encoding("HTML hexadecimal", lambda s: "".join(f"&#x{ord(c):x};" for c in s).encode())
    yield Encoding("quoted-printable", lambda s: quopri.encodestring(s.encode(), quotetabs=True))
    yield Encoding("quoted-printable, all", lambda s: "".join(f"={b:02X}" for b in s.encode()).encode())


def _every_other(secret: str) -> bytes:
    return "".join(f"%{ord(c):02x}" if at % 2 else c for at, c in enumerate(secret)).encode()


def _compressed() -> Iterator[Encoding]:
    yield Encoding("gzip in base64", lambda s: base64.b64encode(gzip.compress(s.encode(), mtime=0)))
    yield Encoding(
        "gzip in base64url", lambda s: base64.urlsafe_b64encode(gzip.compress(s.encode(), mtime=0))
    )
    yield Encoding("zlib in base64", lambda s: base64.b64encode(zlib.compress(s.encode())))


def _wide() -> Iterator[Encoding]:
    for codec in ("utf-16-le", "utf-16-be"):
        yield Encoding(codec, lambda s, c=codec: s.encode(c))


def _separated() -> Iterator[Encoding]:
    for name, separator in (
        ("-", "-"),
        (".", "."),
        ("_", "_"),
        ("space", " "),
        ("newline", "\n"),
        ("*", "*"),
    ):
        for size in (1, 3, 4):
            yield Encoding(
                f"{name} after each {size}",
                lambda s, p=separator, n=size: p.join(s[at : at + n] for at in range(0, len(s), n)).encode(),
            )


def _parts() -> Iterator[Encoding]:
    for at in (0.3, 0.5):
        yield Encoding(
            f"16 characters from {at:.0%}", lambda s, f=at: s[int(len(s) * f) : int(len(s) * f) + 16].encode()
        )


def encodings(secret: str) -> list[Encoding]:
    """All of them, for a secret of at least 16 characters."""
    return [
        *_raw(secret),
        *_base64(),
        *_other_bases(),
        *_hexadecimal(),
        *_escapes(),
        *_compressed(),
        *_wide(),
        *_separated(),
        *_parts(),
    ]
