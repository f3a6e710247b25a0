"""Base64, base32 and hex: alphabets, decoders, the shape that ASCII has in them, and how far a run goes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from msgspec import Struct

_BREAK = rb"(?:(?:\\r|\\n|\r|\n)+[ \t]{0,16})"
"""a line break, as it is or as JSON writes it"""
_URL = bytes.maketrans(b"-_", b"+/")
_SPACES = b" \t\r\n"


class Alphabet(Struct, frozen=True):
    """One way to write bytes as characters."""

    kind: str
    bits: int
    """of one character"""
    group: int
    """characters after which the bytes come out even"""
    chars: bytes
    decode: Callable[[bytes], bytes]
    """complete characters to bytes; what is over of a last group is completed as far as it can be"""
    shape: bytes
    """a pattern of ASCII text so encoded; its end is the end of a group"""
    run: re.Pattern[bytes]
    """a run from a place on, over line breaks"""
    stretches: re.Pattern[bytes]
    """characters of the alphabet in group 1, or an escaped line break"""


def _base64(chars: bytes) -> bytes:
    if b"-" in chars or b"_" in chars:
        chars = chars.translate(_URL)
    over = len(chars) % 4
    if over == 1:
        chars, over = chars[:-1], 0
    return binascii.a2b_base64(chars + b"=" * (-over % 4))


def _base32(chars: bytes) -> bytes:
    over = len(chars) % 8
    spare = {1: 1, 3: 1, 6: 1}.get(over, 0)
    chars = chars[: len(chars) - spare]
    return base64.b32decode(chars + b"=" * (-len(chars) % 8), casefold=True)


def _hex(chars: bytes) -> bytes:
    return bytes.fromhex(chars[: len(chars) & ~1].decode("ascii"))


def _alphabet(
    kind: str, digits: str, group: int, inside: bytes, decode: Callable[[bytes], bytes], shape_groups: int
) -> Alphabet:
    """``digits``: the characters by value, other writings of the same value after a slice of all;
    ``inside``: all of them, as the inside of a character class."""
    bits = _BITS[kind]
    return Alphabet(
        kind,
        bits,
        group,
        "".join(sorted(set(digits))).encode("ascii"),
        decode,
        rb"(?:%b){%d}" % (_ascii_group(digits, bits, group), shape_groups),
        re.compile(rb"[%b]*+(?:%b[%b]++)*+" % (inside, _BREAK, inside)),
        re.compile(rb"\\[rn]|([%b]+)" % inside),
    )


_BITS = {"base64": 6, "base32": 5, "hex": 4}


def _ascii_group(digits: str, bits: int, group: int) -> bytes:
    """A pattern of one group whose bytes all have a clear top bit."""
    classes = []
    for place in range(group):
        clear = sum(1 << (bits - 1 - at) for at in range(bits) if (place * bits + at) % 8 == 0)
        fits = {char for value, char in enumerate(digits) if not value % (1 << bits) & clear}
        classes.append("[" + "".join(sorted(fits)).replace("-", "") + (r"\-" if "-" in fits else "") + "]")
    return "".join(classes).encode("ascii")


_UPPER, _LOWER, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
_B64 = _UPPER + _LOWER + _DIGITS

BASE64 = _alphabet("base64", _B64 + "+/" + _B64 + "-_", 4, rb"A-Za-z0-9+/_\-", _base64, 6)
BASE32 = _alphabet("base32", _UPPER + "234567" + _LOWER + "234567", 8, rb"A-Za-z2-7", _base32, 4)
HEX = _alphabet("hex", _DIGITS + "abcdef" + _DIGITS + "ABCDEF", 2, rb"0-9a-fA-F", _hex, 14)
WIDE_SHAPE = rb"(?:A[C-H][AEIMQUYcgkosw048]A[I-Za-f][AQgw][AB]%b){3}" % rb"[A-Za-z0-9+/_-]"
"""UTF-16 of ASCII text in base64, whichever byte of a character comes first"""


def read_run(alphabet: Alphabet, text: bytes, at: int) -> tuple[int, int]:
    """The run of the alphabet around the character before *at*, over line breaks, as a span of *text*."""
    found = alphabet.run.match(text, at)
    end = found.end() if found else at
    start = line_start(text, at, alphabet.chars)
    while start > 0:
        before = _before_break(text, start)
        if before == start or before == 0 or text[before - 1] not in alphabet.chars:
            break
        start = line_start(text, before, alphabet.chars)
    return start, end


def line_start(text: bytes, at: int, chars: bytes) -> int:
    """Where the characters begin that end at *at*; the letter of an escape (``\\n``) is none of them."""
    size = 64
    while True:
        low = max(0, at - size)
        rest = len(text[low:at].rstrip(chars))
        if rest or low == 0:
            start = low + rest
            break
        size *= 4
    if (
        start
        and text[start - 1 : start] == b"\\"
        and text[start : start + 1] in (b"n", b"r", b"t")
        and start < at
    ):
        start += 1
    return start


def _before_break(text: bytes, at: int) -> int:
    """Where the line break begins that ends at *at*; *at* itself if there is none."""
    end = at
    while end > 0 and at - end < 16 and text[end - 1] in b" \t":
        end -= 1
    begin = end
    while begin > 0:
        if text[begin - 1] in b"\r\n":
            begin -= 1
        elif text[begin - 2 : begin] in (rb"\n", rb"\r"):
            begin -= 2
        else:
            break
    return begin if begin < end else at


def characters(text: bytes, start: int, end: int) -> bytes:
    """The run without its line breaks."""
    segment = text[start:end]
    if b"\\" in segment:
        segment = segment.replace(rb"\n", b"").replace(rb"\r", b"")
    if b"\n" in segment or b"\r" in segment or b" " in segment or b"\t" in segment:
        segment = segment.translate(None, _SPACES)
    return segment
