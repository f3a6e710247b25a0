"""Made-up credentials: a recipe and a source of randomness give a text with one secret in it.

A recipe is text with fields. ``{b62:36}`` stands for 36 random characters of an alphabet below; ``{crc62}`` and the
like for a checksum over what the recipe's secret holds so far; ``{lb}`` and ``{rb}`` for braces. The secret stands
between « and » and both are taken out; without them it is the whole text. What comes out is never anybody's key.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import zlib
from collections.abc import Callable

from msgspec import Struct

from bot_bottle.dlp import checks

ALPHABETS = {
    "b62": string.ascii_letters + string.digits,
    "b64": string.ascii_letters + string.digits + "+/",
    "b64u": string.ascii_letters + string.digits + "-_",
    "b58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "b36": string.ascii_lowercase + string.digits,
    "B36": string.ascii_uppercase + string.digits,
    "b32": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "low": string.ascii_lowercase,
    "hex": string.digits + "abcdef",
    "HEX": string.digits + "ABCDEF",
    "dig": string.digits,
    "bech": "qpzry9x8gf2tvdw0s3jn54khce6mua7l",
    "BECH": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}
FIELD = re.compile(r"\{([A-Za-z0-9]+)(?::(\d+))?\}")


class Sample(Struct, frozen=True):
    """*text* and where in it the secret lies."""

    text: bytes
    start: int
    end: int

    @property
    def secret(self) -> bytes:
        return self.text[self.start : self.end]


def make(recipe: str, source: random.Random) -> Sample:
    """The text of *recipe*. :raises KeyError: for a field that does not exist."""
    out: list[str] = []
    start, end, at = 0, -1, 0
    for piece in re.split(r"(«|»|\{[A-Za-z0-9]+(?::\d+)?\})", recipe):
        if piece == "«":
            start = at
            continue
        if piece == "»":
            end = at
            continue
        field = FIELD.fullmatch(piece)
        if field is not None:
            piece = _field(field[1], int(field[2] or 0), "".join(out)[start:], source)
        out.append(piece)
        at += len(piece)
    return Sample("".join(out).encode("latin-1"), start, at if end < 0 else end)


def _field(name: str, size: int, before: str, source: random.Random) -> str:
    if name in ALPHABETS:
        return _mixed(ALPHABETS[name], size, source)
    return FIELDS[name](before, size, source)


def _mixed(alphabet: str, size: int, source: random.Random) -> str:
    """Characters by chance; a draw that reads like a word or a number is no sample and is drawn again."""
    for _ in range(100):
        text = "".join(source.choice(alphabet) for _ in range(size))
        letters = sum(character.isalpha() for character in text)
        if size < 8 or letters == size == 0 or len(set(text)) * 2 > min(size, len(alphabet)):
            return text
    return text


def _uuid(_before: str, _size: int, source: random.Random) -> str:
    return "-".join(_mixed(ALPHABETS["hex"], size, source) for size in (8, 4, 4, 4, 12))


def _b64_bytes(_before: str, size: int, source: random.Random) -> str:
    return base64.b64encode(source.randbytes(size)).decode()


def _jwt(_before: str, size: int, source: random.Random) -> str:
    head = {"alg": "HS256", "typ": "JWT"}
    body = {"sub": str(source.randrange(10**9, 10**10)), "iat": source.randrange(10**9, 2 * 10**9)}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (head, body)]
    parts.append(source.randbytes(size or 32))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _lines(_before: str, size: int, source: random.Random) -> str:
    """*size* random bytes as the body of a PEM block: 64 characters a line."""
    text = base64.b64encode(source.randbytes(size)).decode()
    return "\n".join(text[at : at + 64] for at in range(0, len(text), 64))


def _user_and_password(_before: str, _size: int, source: random.Random) -> str:
    return base64.b64encode(f"deploy:{_mixed(ALPHABETS['b62'], 17, source)}7".encode()).decode()


FIELDS: dict[str, Callable[[str, int, random.Random], str]] = {
    "lb": lambda _before, _size, _source: "{",
    "rb": lambda _before, _size, _source: "}",
    "uuid": _uuid,
    "b64bytes": _b64_bytes,
    "jwt": _jwt,
    "pem": _lines,
    "b64userpass": _user_and_password,
    "crc62": lambda before, _size, _source: checks.base62(zlib.crc32(before.partition("_")[2].encode()), 6),
    "crc36": lambda before, _size, _source: checks.base36(zlib.crc32(before.encode()), 7),
}
