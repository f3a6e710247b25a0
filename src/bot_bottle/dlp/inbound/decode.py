"""What a passage says in base64, base32, hex, ROT13, backwards, or in characters that nobody sees.

Every reading made here is a *concealed* one: no human reads it as it stands.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterable, Iterator

_BASE64 = re.compile(
    '(?:[A-Za-z0-9+/_-]{30,200}(?:\\\\[rn]|[\\r\\n \\t"#/*>]){1,12}){0,40}[A-Za-z0-9+/_-]{20,6000}'
)
_BASE64_OTHER = re.compile("[^A-Za-z0-9+/]")
_LITERAL_BREAKS = re.compile("\\\\[rn]")
_BASE32 = re.compile("[A-Z2-7]{24,3000}")
_HEX = re.compile("(?:(?:\\\\x|0x|%)?[0-9a-fA-F]{2}[ ,:;\\n]{0,2}){12,2000}")
_HEX_OTHER = re.compile("(?:\\\\x|0x)|[^0-9a-fA-F]")
_BINARY = re.compile("(?:[01]{8}[ ,]?){8,400}")
_CODES = re.compile("(?:[0-9]{2,3}[, ]{1,2}){10,600}[0-9]{2,3}")
_TAGS = re.compile("[\U000e0001-\U000e007f]+")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,4000}")
_PRINTABLE = 0.9
_LEAST = 12


def _prose(data: bytes) -> str | None:
    """*data* as text if it reads like one: UTF-8, hardly any control characters."""
    if len(data) < _LEAST:
        return None
    text = data.decode("utf-8", "ignore")
    if data[1:16:2].count(0) >= 6:
        text = data.decode("utf-16-le", "ignore")
    kept = sum(char.isprintable() or char in "\n\t\r" for char in text)
    return (
        text
        if kept >= _PRINTABLE * len(data) or (kept >= _PRINTABLE * len(text) and len(text) * 3.2 >= len(data))
        else None
    )


def _from_base64(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        run = _LITERAL_BREAKS.sub("", match.group()).replace("-", "+").replace("_", "/")
        run = _BASE64_OTHER.sub("", run)
        for skip in range(4):
            part = run[skip : skip + (len(run) - skip) // 4 * 4]
            rest = run[skip + len(part) :]
            if len(rest) > 1:
                part += rest + "=" * (4 - len(rest))
            if (found := _prose(base64.b64decode(part))) is not None:
                yield found
                break


def _from_base32(text: str) -> Iterator[str]:
    for match in _BASE32.finditer(text):
        run = match.group()
        try:
            decoded = base64.b32decode(run[: len(run) // 8 * 8])
        except binascii.Error:  # pragma: no cover - the alphabet is checked
            continue
        if (found := _prose(decoded)) is not None:
            yield found


def _from_hex(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        run = _HEX_OTHER.sub("", match.group())
        if (found := _prose(bytes.fromhex(run[: len(run) // 2 * 2]))) is not None:
            yield found


def _from_numbers(text: str) -> Iterator[str]:
    for match in _BINARY.finditer(text):
        digits = match.group().replace(" ", "").replace(",", "")
        yield bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits) // 8 * 8, 8)).decode("latin-1")
    for match in _CODES.finditer(text):
        codes = [int(code) for code in match.group().replace(",", " ").split()]
        if all(9 <= code < 127 for code in codes):
            yield "".join(map(chr, codes))


def _unseen(text: str) -> Iterator[tuple[str, str]]:
    if text.isascii():
        return
    if tags := "".join(_TAGS.findall(text)):
        yield "tag-characters", "".join(chr(ord(char) - 0xE0000) for char in tags)
    for match in _VARIATION.finditer(text):
        data = bytes(
            code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16 for code in map(ord, match.group())
        )
        if (found := _prose(data)) is not None:
            yield "variation-selectors", found


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """(name of the encoding, what all runs of *text* that read like text in it say, one a line)."""
    unseen = list(_unseen(text))
    kinds: dict[str, Iterable[str]] = {
        "tag-characters": [said for name, said in unseen if name == "tag-characters"],
        "variation-selectors": [said for name, said in unseen if name == "variation-selectors"],
        "base64": _from_base64(text),
        "base32": _from_base32(text),
        "hex": _from_hex(text),
        "numbers": _from_numbers(text),
    }
    for name, found in kinds.items():
        if joined := "\n".join(found):
            yield name, joined


def turned(text: str) -> Iterator[tuple[str, str]]:
    """The whole of *text* by ROT13, and read from its end."""
    yield "rot13", codecs.decode(text, "rot13")
    yield "reversed", text[::-1]
