"""What formats promise beyond their look: checksums, and parts that decode to something known.

A check takes the whole match and says whether it can be a credential of that format. Pure; never raises.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import string
import zlib
from collections.abc import Callable
from typing import Any

from bot_bottle.dlp.wording import reads_like_words

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
BASE36 = string.digits + string.ascii_lowercase


def base62(number: int, width: int) -> str:
    """*number* in digits, upper-case, lower-case letters, filled with zeros to *width*."""
    return _in_base(number, width, BASE62)


def base36(number: int, width: int) -> str:
    return _in_base(number, width, BASE36)


def _in_base(number: int, width: int, digits: str) -> str:
    text = ""
    while number:
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return text.rjust(width, "0")


def crc_base62(match: bytes) -> bool:
    """The last six characters are the CRC-32 of those between the first ``_`` and them.

    GitHub's tokens since April 2021 and npm's since September 2021
    (https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/).
    """
    random_part = match.partition(b"_")[2]
    return base62(zlib.crc32(random_part[:-6]), 6).encode() == random_part[-6:]


def crc_base36(match: bytes) -> bool:
    """GitLab's routable tokens end with the CRC-32, in seven base-36 digits, of all that stands before."""
    return base36(zlib.crc32(match[:-7]), 7).encode() == match[-7:]


def macaroon(match: bytes) -> bool:
    """PyPI: after ``pypi-`` comes a macaroon whose location is the index (its first field says so)."""
    return b"pypi." in decoded(match.partition(b"-")[2][:64])


def decoded(text: bytes) -> bytes:
    """*text* without base64 (either alphabet, padding or not); empty if it is none."""
    text = text.rstrip(b"=").translate(_TO_STANDARD)
    try:
        return base64.b64decode(
            text[: len(text) - (len(text) % 4 == 1)] + b"=="[: -len(text) % 4], validate=True
        )
    except (binascii.Error, ValueError):
        return b""


_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def json_object(text: bytes) -> dict[str, Any]:
    """The JSON object that *text* is the base64 of; empty if it is none."""
    try:
        value = json.loads(decoded(text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


PUBLISHED_SIGNATURE = b"SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
"""of the example that the debugger of jwt.io begins with; every second page about JWTs shows it"""


def jwt(match: bytes) -> bool:
    """RFC 7519: the first part is a JSON object with ``alg`` or ``typ``; a token without a signature is no secret."""
    head, _, rest = match.partition(b".")
    signature = match.rpartition(b".")[2]
    header = json_object(head)
    if not ("alg" in header or "typ" in header or "enc" in header):
        return False
    if signature in (PUBLISHED_SIGNATURE, b"placeholder") or not rest:
        return False
    return str(header.get("alg", "")).lower() != "none"


def pem_base64(match: bytes) -> bool:
    """A PEM file in base64: whether it is that of a private key."""
    return b"PRIVATE KEY" in decoded(match[:88])


STAND_INS = frozenset(
    b"password passwd pass pwd passw0rd p4ssw0rd secret secrets user username root admin administrator "
    b"postgres mysql guest test tests testing example sample changeme mypassword mypass yourpassword "
    b"mysecret token key foo bar baz tiger welcome letmein qwerty abc abc123 123 1234 12345 123456 "
    b"12345678 123456789 1234567890 none null hidden redacted pw pass123 password1 password123 dbpass "
    b"dbpassword mysecretpassword secret123 rabbitmq redis mongo mongodb neo4j elastic openssl hunter2 "
    b"passphrase opensesame x-oauth-basic x-token-auth oauth2 git nopass pass1 pass2".split()
)
"""Passwords of documents and of images that everybody starts with."""

_TEMPLATE = (b"$", b"{", b"<", b"%(", b"[", b"#{", b"...", b"***", b"xxx")


def plain_password(match: bytes) -> bool:
    """The last word of *match*, behind ``:``, ``=`` or a space, is a password and not one that stands for any."""
    return is_password(re.split(rb"[:=\s]", match.rstrip(b";"))[-1])


LEAST_PASSWORD = 6
_DIGIT = re.compile(rb"[0-9]")


def is_password(word: bytes) -> bool:
    """Whether *word* may be somebody's: no stand-in, template, address, word or number."""
    lower = word.lower()
    if len(word) < LEAST_PASSWORD or lower in STAND_INS or any(mark in lower for mark in _TEMPLATE):
        return False
    if re.fullmatch(rb"[^@]+@[a-z0-9-]+(?:\.[a-z]+)+", lower) or (
        not _DIGIT.search(word) and reads_like_words(word)
    ):
        return False
    if re.sub(rb"%[0-9a-f]{2}|[^a-z]", b"", lower) in STAND_INS:
        return False
    if len(set(lower)) < 3 or lower.isdigit() or any(stand_in * 2 == lower for stand_in in STAND_INS):
        return False
    return not (word.isalpha() and (word.islower() or len(word) < 8 or word.isupper()) and len(word) < 16)


def url_password(match: bytes) -> bool:
    """``user:password@``: the password stands for none other, and is not the user's name again."""
    authority = match.rpartition(b"/")[2] if b"//" not in match[-4:] else match
    user, _, password = authority.rpartition(b"@")[0].partition(b":")
    if user and password.lower() in (user.lower(), user.lower() + b"123"):
        return False
    return is_password(password)


_ALADDIN = (b"Aladdin", b"open sesame")
"""the pair of RFC 7617 and of half the documents about it"""


def basic_auth(match: bytes) -> bool:
    """RFC 7617: the base64 of printable ``user:password``."""
    word = re.split(rb"[\s:=\"']+", match.rstrip(b"="))[-1]
    pair = decoded(word)
    user, colon, password = pair.partition(b":")
    if not colon or not user or not pair.isascii() or not pair.decode("ascii").isprintable():
        return False
    return password.lower() != user.lower() and (user, password) != _ALADDIN and is_password(password)


CHECKS: dict[str, Callable[[bytes], bool]] = {
    "crc_base62": crc_base62,
    "crc_base36": crc_base36,
    "macaroon": macaroon,
    "jwt": jwt,
    "pem_base64": pem_base64,
    "plain_password": plain_password,
    "url_password": url_password,
    "basic_auth": basic_auth,
}
