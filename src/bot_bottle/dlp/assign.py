"""Credentials that are known by their name only: ``api_key = "…"`` in code, JSON, YAML, shells, headers, XML.

A value is taken for a vendor's when it has that vendor's shape and a keyword of the vendor is in the name or near;
else for a secret of nobody in particular when the name says so and the value looks drawn by chance. Everything here
runs only where the one-pass search has seen a name, a separator and a value with a digit. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import re2
from msgspec import Struct

from bot_bottle.dlp import names
from bot_bottle.dlp.checks import CHECKS
from bot_bottle.dlp.entropy import bits
from bot_bottle.dlp.finding import Hit
from bot_bottle.dlp.placeholder import is_placeholder
from bot_bottle.dlp.rule import NEAR, Rule
from bot_bottle.dlp.trigger import cut_tail, width
from bot_bottle.dlp.wording import reads_like_words, surprise

GENERIC = "generic-secret"
GENERIC_REASON = "a value that looks random, under a name of a secret"

_WORDS = (b"secret", b"token", b"pass", b"pwd", b"key", b"auth", b"cred")
_WORD = f"(?:{b'|'.join(_WORDS).decode()})"
_TAIL = r"[A-Za-z0-9_.\-]{0,32}"
_VALUE = r"[!#$%*+\-./0-9:=?@A-Z^_a-z~]"

_LOOSE = r"""[\\"'`\])\s=:,>(\[]{1,16}"""
_BETWEEN_WORD = (
    r"(?:value|content|default|bearer|basic|token|bot|api-?key|key|api-token|ssws|geniekey|splunk|klaviyo-api-key|"
    r"zoho-oauthtoken|str|string|char|text)"
)
_NAMED = rf"(?:(?:secret|token|pass|pwd|auth|cred){_TAIL}|key(?:[a-hj-z0-9_.\-]{_TAIL})?)"
"""A word and the rest of its name. No ``keyid``: registries have one with each signature."""
TRIGGER = (
    rf"{_NAMED}{_LOOSE}(?:(?:n {{1,12}})?{_BETWEEN_WORD}{_LOOSE})?"
    rf"(?:{_VALUE}{{8,40}}[0-9]|{_VALUE}{{0,7}}[0-9]{_VALUE}{{8}})"
)
"""A name, punctuation (and perhaps a scheme, a type, or ``value``), and a value with a digit. Few words, few
choices: each costs on every byte. What exactly stands between is left to :data:`_UP_TO_VALUE`."""

_SPACE = r"(?:\s|\\{1,4}[nrt])"
_CLOSE = r"""[\\"'`\])]{0,8}"""
_TYPE = r":\s{0,2}[a-z][a-z0-9_.\[\]<>|?]{0,24}\s{0,3}="
_OPERATOR = rf"(?:{_TYPE}|=>|[:?+]?={{1,3}}|:|,|>)"
_PAIR = rf""",?{_SPACE}{{0,12}}["'\\]{{0,8}}(?:value|content|default)["'\\]{{0,8}}\s{{0,3}}[:=]\s{{0,3}}"""
_BETWEEN = rf"(?:{_PAIR}|{_SPACE}{{0,8}}{_OPERATOR}{_SPACE}{{0,8}}|[ \t]{{1,4}}|\([ \t]{{0,2}})"
_OPEN = r"""(?:[bfru@]{0,2}["'`\\(\[]{1,8})?"""
_SCHEME = (
    r"(?:(?:bearer|basic|token|bot|apikey|api-key|key|ssws|geniekey|api-token|splunk|klaviyo-api-key|"
    r"zoho-oauthtoken)\s{1,2})?"
)
_UP_TO_VALUE = re2.compile(rf"(?is){_WORD}{_TAIL}{_CLOSE}{_BETWEEN}{_OPEN}{_SCHEME}".encode())
"""What stands before a value; the first way to read it counts (no groups: they would cost more than the search)."""
MAX_VALUE = 512
"""bytes of a value that are looked at"""
_RUN = re.compile(rf"{_VALUE}{{8,{MAX_VALUE}}}".encode())

BEFORE = 160
HEAD = 128
"""How far back from the end of a trigger a name is looked for, and how long what stands before a value may be."""

GENERIC_LEAST = 16
PASSWORD_LEAST = 10
HEX_LEAST = 32
"""The shortest value of a name that says nothing of its form, of a password, of hexadecimal digits; in bytes."""

_QUOTES = frozenset(b"\"'`")
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
    least: int
    most: int
    """how long a value of this shape is"""


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
                least=width(cut_tail(rule.pattern))[0],
                most=_most(rule.pattern),
            )
            for rule in rules
            if rule.name != GENERIC
        )
        self._by_size = [
            tuple(known for known in self._known if known.least <= size <= known.most)
            for size in range(MAX_VALUE + 1)
        ]
        words = sorted({word for known in self._known for word in known.keywords})
        self._keywords = re2.compile(b"|".join(re2.escape(word) for word in words) or rb"\z.")

    def __bool__(self) -> bool:
        return True

    def judge(self, text: bytes, end: int, steps: Steps) -> tuple[Hit | None, int]:
        """The assignment whose trigger ends at *end*, and up to where the text is done with."""
        for start in reversed(_starts(text, max(0, end - BEFORE), end)):
            head = _UP_TO_VALUE.match(text[start : start + HEAD])
            steps.read += HEAD
            run = head and _RUN.match(text, start + head.end())
            if run and run.end() >= end:
                break
        else:
            return None, end
        done = run.end()
        first, last = _trimmed(text, run.start(), done)
        named = _name_end(text, start)
        value, between = text[first:last], text[named:first]
        if (
            len(value) < PASSWORD_LEAST
            or text[last : last + 1] == b"("
            or _stray(text, start, between, value)
        ):
            return None, done
        name = _whole_name(text, start, named)
        if names.is_public(name):
            return None, done
        password = names.is_password(name)
        if len(value) < GENERIC_LEAST and not password:
            return None, done
        around = (text[max(0, start - NEAR) : first] + text[last : last + NEAR]).lower()
        known = self._vendor(name, around, value)
        if known is not None:
            return Hit(known.rule.name, first, last, known.reason), done
        if between[-6:].lower() == b"basic ":
            return None, done
        if names.is_secret(name) and _random(value, password) and not is_placeholder(value):
            return Hit(GENERIC, first, last, GENERIC_REASON), done
        return None, done

    def _vendor(self, name: bytes, around: bytes, value: bytes) -> _Known | None:
        """The rule whose keyword is *around* and whose shape *value* has."""
        if not self._by_size[len(value)] or self._keywords.search(around) is None:
            return None
        lower = name.lower()
        for known in self._by_size[len(value)]:
            if any(word in around for word in known.keywords) and _fits(known, lower, value):
                return known
        return None


def _most(pattern: str) -> int:
    """How long a value of this shape may be."""
    try:
        return width(pattern)[1]
    except ValueError:  # its end may be repeated
        return MAX_VALUE


def _starts(text: bytes, low: int, end: int) -> list[int]:
    """Where the words of names begin between *low* and *end*, first to last."""
    window, found = text[low:end].lower(), []
    for word in _WORDS:
        at = window.find(word)
        while at >= 0:
            found.append(low + at)
            at = window.find(word, at + 1)
    return sorted(found)


def _stray(text: bytes, start: int, between: bytes, value: bytes) -> bool:
    """Whether the value only happens to stand behind the name: in a list, as an argument, on a line of its own."""
    if between[-1] in _QUOTES:
        return False
    if b"," in between or b"(" in between:
        return True
    if between.strip() or _HEX.fullmatch(value) is None:
        return False
    before = text[max(0, start - 20) : start].lower()
    return b"--" not in before and b"authorization" not in before and not text[start : start + 3].isupper()


def _trimmed(text: bytes, first: int, last: int) -> tuple[int, int]:
    """Without punctuation that ends a sentence or a template, and a prefix that is markup."""
    while last > first and text[last - 1] in b".:?!,":
        last -= 1
    return first, last


def _name_end(text: bytes, start: int) -> int:
    end = start
    while end < len(text) and end - start < 64 and text[end] in _NAME:
        end += 1
    return end


def _whole_name(text: bytes, start: int, end: int) -> bytes:
    first = start
    while first > 0 and start - first < 64 and text[first - 1] in _NAME:
        first -= 1
    return text[first:end]


def _fits(known: _Known, name: bytes, value: bytes) -> bool:
    rule = known.rule
    if known.value.fullmatch(value) is None or (
        known.named and not any(word in name for word in known.named)
    ):
        return False
    body = value[len(known.prefix) :]
    if bits(body) < rule.entropy or (rule.check and not CHECKS[rule.check](value)):
        return False
    return not is_placeholder(value, known.prefix) and not (rule.random and reads_like_words(body))


_UUID = re2.compile(rb"(?i)\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?")
_HEX = re2.compile(rb"(?i)(?:0x)?[0-9a-f]+")
_NO_SECRET = re2.compile(
    rb"(?i)sha(?:1|224|256|384|512)[-:=]|md5[-:=]|\$(?:2[abxy]|argon|pbkdf|scrypt|[156])|pbkdf2|\{S?SHA|"
    rb"v?[0-9]{1,4}\.[0-9]|[a-z][a-z0-9+.-]{1,12}://|data:|urn:|arn:|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9.:/+-]+$|ssh-(?:rsa|ed25519|dss)|"
    rb"(?:call|msg|toolu|req|resp|rs|run|thread|item|asst|chatcmpl|evt|srvtoolu|file|batch|pi|cus|sub|acct)_"
)
"""Hashes, addresses, dates, numbers, and the ids of model APIs."""


def _random(value: bytes, password: bool) -> bool:
    """Whether *value* looks drawn by chance and is of no kind that is known to be no secret."""
    size = len(value)
    if size < (PASSWORD_LEAST if password else GENERIC_LEAST):
        return False
    if _UUID.fullmatch(value) is not None or _NO_SECRET.match(value) is not None:
        return False
    if size < 64 and (b"EXAMPLE" in value or b"XXXXXX" in value):
        return False
    if _HEX.fullmatch(value) is not None:
        return size >= HEX_LEAST and bits(value) >= 3.0 and not value.isdigit()
    if bits(value) < (3.0 if password else 3.2 if size < 20 else 3.5):
        return False
    return surprise(value) >= 5.8
