"""Credentials that are known by their name only: ``api_key = "…"`` in code, JSON, YAML, shells, headers, XML.

A value is taken for a vendor's when it has that vendor's shape and a keyword of the vendor is in the name or near;
else for a secret of nobody in particular when the name says so and the value looks drawn by chance. Everything here
runs only where the one-pass search has seen a name, a separator and a value with a digit. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

import re2
from msgspec import Struct

from bot_bottle.dlp import names
from bot_bottle.dlp.checks import CHECKS
from bot_bottle.dlp.entropy import bits
from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.placeholder import is_placeholder
from bot_bottle.dlp.rule import NEAR, Rule
from bot_bottle.dlp.wording import reads_like_words, surprise

GENERIC = "generic-secret"
GENERIC_REASON = "a value that looks random, under a name of a secret"

_WORD = r"(?:secret|token|passw|passphrase|passcode|_pass|pwd|key|auth|cred|bearer|dsn)"
_TAIL = r"[A-Za-z0-9_.\-]{0,32}"
_SPACE = r"(?:\s|\\{1,4}[nrt])"
_CLOSE = r"""[\\"'`\])]{0,8}"""
_OPERATOR = r"(?:=>|[:?+]?={1,3}|:|,|>|:\s{0,2}[a-z][a-z0-9_.\[\]<>|?]{0,24}\s{0,3}=)"
_PAIR = rf""",?{_SPACE}{{0,12}}["'\\]{{0,8}}(?:value|content|default)["'\\]{{0,8}}\s{{0,3}}[:=]\s{{0,3}}"""
_BETWEEN = rf"(?:{_SPACE}{{0,8}}{_OPERATOR}{_SPACE}{{0,8}}|{_SPACE}{{1,8}}|{_PAIR})"
_OPEN = r"""(?:[bfru@]{0,2}["'`\\(\[]{1,8})?"""
_SCHEME = r"(?:(?:bearer|basic|token|bot|apikey|api-key|key|ssws|geniekey|api-token|splunk|zoho-oauthtoken)\s{1,2})?"
_VALUE = r"[!#$%*+\-./0-9:=?@A-Z^_a-z~]"

_HEAD = rf"{_WORD}{_TAIL}{_CLOSE}{_BETWEEN}{_OPEN}{_SCHEME}"
_FORWARD = re2.compile(
    rf"(?is)({_WORD}{_TAIL}){_CLOSE}{_BETWEEN}{_OPEN}{_SCHEME}({_VALUE}{{8,512}})".encode()
)
TRIGGER = rf"{_HEAD}(?:{_VALUE}{{8,40}}[0-9]|{_VALUE}{{0,7}}[0-9]{_VALUE}{{8}})"
_BACKWARD = re2.compile(rf"(?is)(?:{TRIGGER})\z".encode())

BEFORE = 256
REACH = 700
"""How far back from the end of a trigger, and on from its beginning, is looked; in bytes."""

_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


class Steps:
    """Bytes looked at beyond the one pass: what a test counts to see that the work is linear."""

    __slots__ = ("read",)

    def __init__(self) -> None:
        self.read = 0


class _Known(Struct, frozen=True):
    rule: Rule
    value: re2._Regexp
    keywords: tuple[bytes, ...]
    named: tuple[bytes, ...]
    prefix: bytes
    reason: str


class Assignments:
    """The rules that need a name beside the value."""

    trigger = TRIGGER

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._known = tuple(
            _Known(
                rule=rule,
                value=re2.compile(f"(?s){rule.pattern}".encode()),
                keywords=tuple(word.encode() for word in rule.keywords),
                named=tuple(word.encode() for word in rule.named),
                prefix=rule.prefix.encode(),
                reason=f"has the shape of a credential of {rule.vendor}, and its name",
            )
            for rule in rules
            if rule.name != GENERIC
        )

    def __bool__(self) -> bool:
        return True

    def judge(self, text: bytes, end: int, steps: Steps) -> tuple[Hit | None, int]:
        """The assignment whose trigger ends at *end*, and up to where the text is done with."""
        window = text[max(0, end - BEFORE) : end]
        found = _BACKWARD.search(window)
        if found is None:
            return None, end
        start = end - len(window) + found.start()
        whole = _FORWARD.match(text[start : start + REACH])
        steps.read += end - start + REACH
        if whole is None:
            return None, end
        first, last = start + whole.start(2), start + whole.end(2)
        first, last = _trimmed(text, first, last)
        done = max(end, start + whole.end(2))
        value = text[first:last]
        if len(value) < 8 or is_placeholder(value):
            return None, done
        name = _whole_name(text, start, start + whole.end(1))
        around = (text[max(0, start - NEAR) : first] + text[last : last + NEAR]).lower()
        for known in self._known:
            if _fits(known, name.lower(), around, value):
                return Hit(known.rule.name, first, last, known.reason), done
        if (
            names.is_secret(name)
            and _random(value, names.is_password(name))
            and text[last : last + 1] != b"("
        ):
            return Hit(GENERIC, first, last, GENERIC_REASON), done
        return None, done


def _trimmed(text: bytes, first: int, last: int) -> tuple[int, int]:
    """Without punctuation that ends a sentence or a template, and a prefix that is markup."""
    while last > first and text[last - 1] in b".:?!,":
        last -= 1
    return first, last


def _whole_name(text: bytes, start: int, end: int) -> bytes:
    first = start
    while first > 0 and start - first < 64 and text[first - 1] in _NAME:
        first -= 1
    return text[first:end]


def _fits(known: _Known, name: bytes, around: bytes, value: bytes) -> bool:
    rule = known.rule
    if known.value.fullmatch(value) is None or not any(word in around for word in known.keywords):
        return False
    if known.named and not any(word in name for word in known.named):
        return False
    if names.is_public(name):
        return False
    body = value[len(known.prefix) :]
    if bits(body) < rule.entropy or (rule.check and not CHECKS[rule.check](value)):
        return False
    return not (rule.random and reads_like_words(body))


_UUID = re2.compile(rb"(?i)\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?")
_HEX = re2.compile(rb"(?i)(?:0x)?[0-9a-f]+")
_NO_SECRET = re2.compile(
    rb"(?i)sha(?:1|224|256|384|512)[-:=]|md5[-:=]|\$(?:2[abxy]|argon|pbkdf|scrypt|[156])|pbkdf2|\{S?SHA|"
    rb"[a-z][a-z0-9+.-]{1,12}://|data:|urn:|arn:|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9.:/+-]+$|ssh-(?:rsa|ed25519|dss)|"
    rb"(?:call|msg|toolu|req|resp|rs|run|thread|item|asst|chatcmpl|evt|srvtoolu|file|batch|pi|cus|sub|acct)_"
)
"""Hashes, addresses, dates, numbers, and the ids of model APIs."""

GENERIC_LEAST = 16
PASSWORD_LEAST = 10
HEX_LEAST = 32


def _random(value: bytes, password: bool) -> bool:
    """Whether *value* looks drawn by chance and is of no kind that is known to be no secret."""
    size = len(value)
    if size < (PASSWORD_LEAST if password else GENERIC_LEAST):
        return False
    if _UUID.fullmatch(value) is not None or _NO_SECRET.match(value) is not None:
        return False
    if _HEX.fullmatch(value) is not None:
        return size >= HEX_LEAST and bits(value) >= 3.0 and not value.isdigit()
    if bits(value) < (3.0 if password else 3.2 if size < 20 else 3.5):
        return False
    return surprise(value) >= 5.8
