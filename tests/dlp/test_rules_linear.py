"""No text makes the search look at more than a fixed number of bytes for each of its own.

Counted, not timed: ``Patterns.steps.read`` grows with all that is read beyond the one pass.
"""

from __future__ import annotations

import random
import string

import pytest

from bot_bottle.dlp import sample
from bot_bottle.dlp.patterns import Patterns
from bot_bottle.dlp.registry import ALL_RULES
from bot_bottle.dlp.rule import Find

SIZE = 200_000
MOST = 600
"""bytes read for one byte of the text; the densest trigger is eight bytes long and may look 2 KiB ahead"""

CHARACTERS = string.ascii_letters + string.digits


def drawn(size: int, alphabet: str = CHARACTERS) -> str:
    source = random.Random(f"{size} {alphabet}")
    return "".join(source.choice(alphabet) for _ in range(size))


UNITS = [
    "ghp_",
    "ghp_" + "a" * 36,
    "ghp_" + drawn(36),
    "sk-",
    "sk-proj-",
    "sk-proj-some-words-in-a-row-",
    "AKIA",
    "AKIA" + "A" * 16,
    "eyJhbGci",
    "eyJhbGciOiJub25lIn0.",
    "eyJhbGciOiJub25lIn0.AAAAAAAA.",
    "-----BEGIN PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n" + "A" * 32,
    "https://a:b@",
    "https://user:password@",
    "://a:b@",
    "token ",
    "key=aaaaaaaa1",
    'token="abcdefgh1',
    "secret_token_key_auth:",
    "basic aaaaaaaaaaaa ",
    "bearer aaaaaaaaaaaaaaaaaaaaaaaa ",
    "glpat-",
    "glpat-" + "a" * 27 + ".01.012345678",
    "xoxb-1-",
    "aaa8Q~",
    "&sig=",
    "password=aaaaaa;",
    " -u a:aaaaaaa",
    "login a password b ",
    "PuTTY-User-Key-File-2: a\nEncryption: none\nComment:\n",
    "MTA4",
    "12345678:AA",
    "LS0tLS1CRUdJTi",
    "a",
    "A",
    "0",
    "f",
    "-",
    "_",
    "\\n",
    "%41",
    '"',
    "\0",
    "key" + '"' * 12,
]


@pytest.mark.parametrize("unit", UNITS)
def test_over_and_over(unit: str) -> None:
    for size in (SIZE // 4, SIZE):
        patterns = Patterns.default()
        before = patterns.steps.read
        patterns.scan((unit * (size // len(unit))).encode())
        assert patterns.steps.read - before <= MOST * size


@pytest.mark.parametrize(
    "alphabet", [CHARACTERS, string.digits, "0123456789abcdef", CHARACTERS + "-_", CHARACTERS + "+/"]
)
@pytest.mark.parametrize("head", ["", "ghp_", "sk-", "key=", "eyJ", "https://", "AccountKey=", "sig="])
def test_long_runs(head: str, alphabet: str) -> None:
    patterns = Patterns.default()
    before = patterns.steps.read
    patterns.scan((head + drawn(SIZE, alphabet)).encode())
    assert patterns.steps.read - before <= SIZE


def test_all_rules_at_once() -> None:
    """A text of nothing but what every rule looks at most closely."""
    source = random.Random(5)
    parts: list[bytes] = []
    while sum(map(len, parts)) < SIZE:
        for rule in ALL_RULES:
            if rule.find is Find.ANYWHERE:
                parts += [sample.make(recipe, source).text[:60] for recipe in rule.positives]
    text = b"".join(parts)
    patterns = Patterns.default()
    before = patterns.steps.read
    patterns.scan(text)
    assert patterns.steps.read - before <= MOST * len(text)
