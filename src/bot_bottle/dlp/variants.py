"""All encodings that a known secret is searched in, written out: what they look like once stripped.

A *variant* is one spelling of one value. Spellings that differ only in what stripping removes (URL-safe base64,
padding, line breaks, ``41:42`` and ``\\x41\\x42`` and ``%41%42`` and ``=41=42``, UTF-16) are one variant. Which of
them a text has, and where it begins and ends, is told by ``known_forms``.

Pure. Values are secrets: nothing here may put one into a message.
"""

from __future__ import annotations

import base64
import codecs
import html.entities
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

from msgspec import Struct

_FOLD_CHARACTERS = 16
"""A value this long is found in any mix of cases (dlp.md §2)"""
_SCALE_BYTES = 4096
"""Of a value of this length or twice it parts of twelve letters are found, of longer ones parts in proportion"""
_RFC1924 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_Z85 = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_ADOBE = bytes(range(33, 118))
_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_TO_Z85 = bytes.maketrans(_RFC1924, _Z85)
_TO_ADOBE = bytes.maketrans(_RFC1924, _ADOBE)
_TO_BASE32HEX = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV")
_BASE58_MAX_BYTES = 256
"""Beyond it the arithmetic is slow, and nobody writes base58"""
_NAMED = {
    ord(character): name
    for name, character in sorted(html.entities.html5.items(), reverse=True)
    if name.endswith(";") and len(character) == 1 and ord(character) < 128
}


class Variant(Struct, frozen=True):
    """One spelling."""

    kind: str
    """``plain``, ``hex``, ``base64/1`` …"""
    data: bytes
    """the spelling; only what depends on the value alone (of base64 in the midst of other data, no edges)"""
    public: bytes
    """one byte for each of *data*: 1 where it depends on a public part of the value"""
    window: int = 0
    """any so many letters and digits in a row of the spelling are found; 0: it is found only as a whole"""
    folds: bool = False
    """upper and lower case are the same"""

    def __repr__(self) -> str:
        return f"Variant({self.kind})"


def variants(value: bytes, public: bytes, few: bool = False) -> list[Variant]:
    """Every spelling of *value*; *public* marks its public bytes (``known_public.public_mask``). *few*: only those
    that views do not decode (base58, base85 at one alignment, reversed, ROT13, mixed case), and the commonest; and
    these, if the value is not long, as a whole only."""
    scale = max(1, len(value) // _SCALE_BYTES)
    part = 0 if few and scale == 1 else scale
    found = [Variant("plain", value, public, window=12 * scale)]
    if len(value) >= _FOLD_CHARACTERS:
        found.append(Variant("folded", value, public, folds=True))
    for offset in range(3):
        found += _base64(value, public, offset, 32 * part)
    if few:
        found.append(_hex(value, public, 32 * part))
        found += _base85(value, public, 0)
    else:
        found += _escaped(value, public)
        found += _numbers(value, public)
        for offset in range(5):
            found += _base32(value, public, offset)
        for offset in range(4):
            found += _base85(value, public, offset)
    if len(value) <= _BASE58_MAX_BYTES:
        found.append(Variant("base58", base58(value), bytes(len(base58(value)))))
    found.append(Variant("reversed", value[::-1], public[::-1], window=24 * part))
    found.append(Variant("rot13", rot13(value), public, window=24 * part))
    return [variant for variant in found if variant.data]


def blocks(value: bytes, kind: str) -> Variant:
    """The variant of *kind* (``base64/1``). :raises KeyError: there is none of that name."""
    name, _, offset = kind.partition("/")
    make = {"base64": _base64_plain, "base32": _base32, "base32hex": _base32}.get(name, _base85)
    found = {variant.kind: variant for variant in make(value, bytes(len(value)), int(offset))}
    return found[kind]


def base58(value: bytes) -> bytes:
    """The value as one number, Bitcoin's alphabet; leading zero bytes are ones."""
    number = int.from_bytes(value, "big")
    digits = bytearray()
    while number:
        number, digit = divmod(number, 58)
        digits.append(_BASE58[digit])
    zeros = len(value) - len(value.lstrip(b"\0"))
    return b"1" * zeros + bytes(digits[::-1])


def rot13(value: bytes) -> bytes:
    """Letters turned by half the alphabet, all else as it is."""
    return codecs.encode(value.decode("latin-1"), "rot13").encode("latin-1")


def _escaped(value: bytes, public: bytes) -> Iterator[Variant]:
    """The value with its other characters than letters and digits written by escapes. Of spellings that strip to
    the same only one is kept by the caller."""
    if value.isalnum():
        return
    spell: dict[str, Callable[[int], bytes]] = {
        "percent": lambda byte: quote(bytes([byte]), safe="").encode(),
        "percent, slashes": lambda byte: quote(bytes([byte]), safe="/").encode(),
        "percent, path": lambda byte: quote(bytes([byte]), safe="/:@!$&'()*+,;=").encode(),
        "percent, component": lambda byte: quote(bytes([byte]), safe="!*'()").encode(),
        "percent, form": lambda byte: quote_plus(bytes([byte]), safe="*").encode(),
        "percent, twice": lambda byte: quote(quote(bytes([byte]), safe=""), safe="").encode(),
        "percent, all others": lambda byte: _unless_alnum(byte, "%{:02x}"),
        "percent, all others, twice": lambda byte: _unless_alnum(byte, "%25{:02x}"),
        "unicode, all others": lambda byte: _unless_alnum(byte, "\\u{:04x}"),
        "octal, all others": lambda byte: _unless_alnum(byte, "\\{:03o}"),
        "decimal, all others": lambda byte: _unless_alnum(byte, "&#{};"),
        "hex, all others": lambda byte: _unless_alnum(byte, "&#x{:x};"),
        "named": lambda byte: ("&" + _NAMED[byte] if byte in _NAMED else chr(byte)).encode("latin-1"),
        "quoted-printable": lambda byte: (
            b"=%02X" % byte if byte == 61 or not 32 <= byte < 127 else bytes([byte])
        ),
    }
    for kind, one in spell.items():
        yield _by_byte(kind, value, public, one)
    for number, quotes in enumerate(_HTML_QUOTES):
        table = {**_HTML, **quotes}
        yield _by_byte(f"html {number}", value, public, _from(table))
    yield from _utf7(value, public)


_HTML = {38: b"&amp;", 60: b"&lt;", 62: b"&gt;"}
_HTML_QUOTES: tuple[dict[int, bytes], ...] = (
    {},
    {34: b"&quot;"},
    {34: b"&quot;", 39: b"&#39;"},
    {34: b"&quot;", 39: b"&#x27;"},
    {34: b"&#34;", 39: b"&#39;"},
    {34: b"&quot;", 39: b"&apos;"},
)
"""What encoders make of quotation marks"""


def _from(table: dict[int, bytes]) -> Callable[[int], bytes]:
    return lambda byte: table.get(byte) or bytes([byte])


def _unless_alnum(byte: int, form: str) -> bytes:
    return bytes([byte]) if bytes([byte]).isalnum() else form.format(byte).encode()


def _utf7(value: bytes, public: bytes) -> Iterator[Variant]:
    try:
        spelled = value.decode().encode("utf-7")
    except UnicodeError:
        return
    if spelled != value:
        yield Variant("utf-7", spelled, _spread(public, len(spelled)))


def _spread(public: bytes, size: int) -> bytes:
    """A mask for a spelling whose characters belong to no one byte: public when anything is."""
    return bytes([1 if any(public) else 0]) * size


def _numbers(value: bytes, public: bytes) -> Iterator[Variant]:
    """Every character by its number. The letters x and u are in the spelling where no backslash need be before
    them (``&#x41;``, ``%u0041``); where one is, they may be left out in the comparison."""
    yield _hex(value, public, window=32)
    yield _by_byte("hex x", value, public, lambda byte: b"x%02x" % byte, folds=True)
    yield _by_byte("hex 0x", value, public, lambda byte: b"0x%02x" % byte, folds=True)
    yield _by_byte("decimal", value, public, lambda byte: b"%d" % byte)
    yield _by_byte("octal all", value, public, lambda byte: b"%03o" % byte)
    yield _by_byte("percent all, twice", value, public, lambda byte: b"25%02x" % byte, folds=True)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    units = [_units(character) for character in text]
    yield _by_character("unicode all", text, public, units)
    yield _by_character("long unicode all", text, public, [b"U%08x" % ord(character) for character in text])
    if not text.isascii():
        yield _by_character(
            "decimal characters", text, public, [b"%d" % ord(character) for character in text]
        )
        yield _by_character("hex characters", text, public, [b"%x" % ord(character) for character in text])
        yield _by_character("hex x characters", text, public, [b"x%x" % ord(character) for character in text])
        mixed = [character.encode() if character.isascii() else _units(character) for character in text]
        yield _by_character("unicode, not ASCII", text, public, mixed)


def _hex(value: bytes, public: bytes, window: int) -> Variant:
    return Variant(
        "hex", value.hex().encode(), bytes(mark for mark in public for _ in range(2)), window, folds=True
    )


def _units(character: str) -> bytes:
    raw = character.encode("utf-16-be")
    return b"".join(b"u" + raw[at : at + 2].hex().encode() for at in range(0, len(raw), 2))


def _by_character(kind: str, text: str, public: bytes, parts: list[bytes]) -> Variant:
    marks = [max(public[at : at + size]) for at, size in _characters(text)]
    mask = b"".join(bytes([mark]) * len(part) for mark, part in zip(marks, parts, strict=True))
    return Variant(kind, b"".join(parts), mask, folds=True)


def _characters(text: str) -> Iterator[tuple[int, int]]:
    """Offset and size in UTF-8 of each character."""
    at = 0
    for character in text:
        size = len(character.encode())
        yield at, size
        at += size


def _by_byte(
    kind: str,
    value: bytes,
    public: bytes,
    one: Callable[[int], bytes],
    window: int = 0,
    folds: bool = False,
) -> Variant:
    parts = [one(byte) for byte in value]
    mask = b"".join(bytes([mark]) * len(part) for mark, part in zip(public, parts, strict=True))
    return Variant(kind, b"".join(parts), mask, window, folds)


def _bits(
    kind: str,
    encode: Callable[[bytes], bytes],
    width: int,
    value: bytes,
    public: bytes,
    offset: int,
    window: int = 0,
    folds: bool = False,
) -> Variant:
    """Base64 and base32 with *offset* bytes of something else before the value: the characters that no
    neighbouring byte has a part in. *width*: bits in a character."""
    total = (offset + len(value)) * 8
    first = -(-offset * 8 // width)
    last = total // width
    data = encode(bytes(offset) + value)[first:last]
    mask = bytearray()
    for index in range(first, last):
        start, end = index * width // 8 - offset, (index * width + width - 1) // 8 - offset
        mask.append(max(public[start : end + 1]))
    return Variant(f"{kind}/{offset}", data, bytes(mask), window, folds)


def _base64(value: bytes, public: bytes, offset: int, window: int) -> Iterator[Variant]:
    """As it is, and as it stands in a form."""
    plain = _bits("base64", base64.b64encode, 6, value, public, offset, window)
    yield plain
    if not plain.data.isalnum():
        yield _by_byte(plain.kind, plain.data, plain.public, lambda byte: _unless_alnum(byte, "%{:02X}"))


def _base64_plain(value: bytes, public: bytes, offset: int) -> Iterator[Variant]:
    yield _bits("base64", base64.b64encode, 6, value, public, offset)


def _base32(value: bytes, public: bytes, offset: int) -> Iterator[Variant]:
    plain = _bits("base32", base64.b32encode, 5, value, public, offset, folds=True)
    yield plain
    yield Variant(f"base32hex/{offset}", plain.data.translate(_TO_BASE32HEX), plain.public, folds=True)


def _base85(value: bytes, public: bytes, offset: int) -> Iterator[Variant]:
    """Base85 works on groups of four bytes: the whole groups after *offset* bytes of something else."""
    start = -offset % 4
    end = start + max(len(value) - start, 0) // 4 * 4
    data = base64.b85encode(value[start:end])
    mask = b"".join(bytes([max(public[at : at + 4])]) * 5 for at in range(start, end, 4))
    for kind, spelled in (
        ("base85", data),
        ("z85", data.translate(_TO_Z85)),
        ("ascii85", data.translate(_TO_ADOBE)),
    ):
        yield Variant(f"{kind}/{offset}", spelled, mask)
